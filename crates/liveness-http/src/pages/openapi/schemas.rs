//! The JSON schemas of the document, and the components that they refer to.

use liveness_bus::schemars::Schema;
use liveness_bus::schemars::generate::{SchemaGenerator, SchemaSettings};
use liveness_bus::{Description, FieldError};
use serde_json::{Map, Value, json};

const COMPONENTS: &str = "/components/schemas";
const REFERENCE: &str = "#/components/schemas/";
const REPLY: &str = "Reply";

/// Two generators: one for requests, one for replies. A field may be optional in a request and always be there in a reply.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = COMPONENTS.into());
        Self {
            requests: settings().for_deserialize().into_generator(),
            replies: settings().for_serialize().into_generator(),
        }
    }

    pub(super) fn request(&mut self, description: &Description) -> Value {
        let schema = description.request(&mut self.requests).to_value();
        if !self.is_anything_required(&schema) {
            self.allow_null(&schema);
        }
        schema
    }

    /// The body `null` is `{}`. A request with a required field lacks it in both.
    fn allow_null(&mut self, schema: &Value) {
        let name = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| path.rsplit('/').next());
        let definition = name.and_then(|name| self.requests.definitions_mut().get_mut(name));
        if let Some(Value::Object(definition)) = definition
            && definition.get("type").is_some_and(|kind| kind == "object")
        {
            definition.insert("type".to_owned(), json!(["object", "null"]));
        }
    }

    pub(super) fn reply(&mut self, description: &Description) -> Value {
        description.reply(&mut self.replies).to_value()
    }

    /// The documentation of a request's type.
    pub(super) fn description(&self, schema: &Value) -> Option<String> {
        Some(self.resolved(schema).get("description")?.as_str()?.to_owned())
    }

    /// Whether a request has a required field.
    pub(super) fn is_anything_required(&self, schema: &Value) -> bool {
        let resolved = self.resolved(schema);
        if resolved.get("$ref").is_some() {
            return self.is_anything_required(resolved);
        }
        let has = |key: &str| resolved.get(key).and_then(Value::as_array);
        has("required").is_some_and(|required| !required.is_empty())
            || has("allOf").is_some_and(|parts| parts.iter().any(|part| self.is_anything_required(part)))
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.requests.definitions().get(name))
            .unwrap_or(schema)
    }

    /// The components that the paths refer to, and the envelope of a failure.
    ///
    /// A type whose schema differs between request and reply gets a second name for the reply. The paths are changed to
    /// use it.
    pub(super) fn into_components(mut self, paths: &mut Map<String, Value>) -> Map<String, Value> {
        let field_error = self.replies.subschema_for::<FieldError>();
        let codes: Vec<String> = FieldError::CODES
            .iter()
            .map(|(code, means)| format!("- `{code}`: the field {means}"))
            .collect();
        let mut components = self.requests.take_definitions(true);
        bound_integers(&mut components);
        let mut replies = self.replies.take_definitions(true);
        let is_other = |(name, schema): (&String, &Value)| {
            components
                .get(name)
                .is_some_and(|request| request != schema)
                .then(|| name.clone())
        };
        let renamed: Vec<String> = replies.iter().filter_map(is_other).collect();
        for operation in paths.values_mut().filter_map(|item| item.get_mut("post")) {
            rename_references(&mut operation["responses"], &renamed);
        }
        replies
            .values_mut()
            .for_each(|schema| rename_references(schema, &renamed));
        components.extend(replies.into_iter().map(|(name, schema)| {
            let suffix = if renamed.contains(&name) { REPLY } else { "" };
            (name + suffix, schema)
        }));
        if let Some(code) = components
            .get_mut("FieldError")
            .and_then(|error| error.pointer_mut("/properties/code"))
        {
            code["description"] = format!("The rule, for programs:\n\n{}", codes.join("\n")).into();
        }
        components.insert("Failure".to_owned(), failure_envelope(field_error));
        components
    }
}

/// The schema of `request/envelope.rs`'s envelope of a failure.
fn failure_envelope(field_error: Schema) -> Value {
    json!({
        "type": "object",
        "description": "The envelope of whatever is not done.",
        "properties": {
            "isSuccessful": { "type": "boolean", "const": false },
            "statusCode": { "type": "string", "pattern": "^[0-9]{2}$", "description": "After ISO 8583." },
            "message": { "type": "string", "description": "For a person." },
            "data": { "type": "null" },
            "errors": {
                "type": "array",
                "description": "Only where fields break rules: all that do, at most 100.",
                "items": field_error,
            },
        },
        "required": ["isSuccessful", "statusCode", "message", "data"],
    })
}

/// Renames references to these schemas to their reply variants.
fn rename_references(value: &mut Value, renamed: &[String]) {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| rename_references(element, renamed)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::String(reference) if key == "$ref" => {
                        let is_renamed = |name: &String| reference.strip_prefix(REFERENCE) == Some(name);
                        if renamed.iter().any(is_renamed) {
                            reference.push_str(REPLY);
                        }
                    }
                    field => rename_references(field, renamed),
                }
            }
        }
        _ => {}
    }
}

/// Gives 64-bit integers without bounds the bounds of 64 bits. `format` alone is only a hint.
fn bound_integers(schemas: &mut Map<String, Value>) {
    if schemas.get("format").is_some_and(|format| format == "int64") {
        schemas.entry("minimum").or_insert(i64::MIN.into());
        schemas.entry("maximum").or_insert(i64::MAX.into());
    }
    for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
        bound_integers(schema);
    }
}
