DROP INDEX liveness_images_object;
