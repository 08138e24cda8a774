//! What actix-web can do on this machine: it reads a request's JSON and answers a fixed text, whatever the message. No
//! token is verified, no field checked, nothing decoded, and there is no database.

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::de::IgnoredAny;

const STATUS: &str = r#"{"isSuccessful":true,"statusCode":"00","message":"Liveness check has been completed.","data":{"HasCompletedLivenessCheck":true,"LivenessCheckDate":"2025-01-15T10:00:00Z","SessionId":"seed-00000001"}}"#;

async fn answer(body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<IgnoredAny>(&body) {
        Ok(_) => HttpResponse::Ok().content_type("application/json").body(STATUS),
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| std::io::Error::other("usage: limit-http PORT"))?;
    HttpServer::new(|| {
        App::new()
            .app_data(web::PayloadConfig::new(8 << 20))
            .route("/api/BPMSelfService/commands/{name}", web::post().to(answer))
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
