-- Which objects hold a face: the others are swept away. It is empty where faces are in the database.
CREATE INDEX liveness_images_object ON liveness_images (object_name) WHERE object_name IS NOT NULL;
