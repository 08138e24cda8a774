//! An actix application on a port of its own, in this process.

use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

/// Serves it until the process ends, and gives back where.
pub fn serve(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> String {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || App::new().configure(&configure);
            let server = HttpServer::new(app)
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
            told.send(server.addrs()[0].to_string()).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}
