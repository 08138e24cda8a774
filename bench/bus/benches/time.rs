//! How long each takes; `run` shows it.

use std::time::Duration;

use bus_bench::{Measure, Scenario};
use criterion::Criterion;
use crowd::CROWD;

struct Timed<'c>(&'c mut Criterion, Scenario);

impl Measure for Timed<'_> {
    fn operation<T>(&mut self, contestant: &'static str, mut operation: impl FnMut() -> T) {
        self.0
            .benchmark_group(self.1.name())
            .bench_function(contestant, |bencher| bencher.iter(&mut operation));
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for scenario in Scenario::ALL {
        scenario.run(&CROWD, &mut Timed(&mut criterion, scenario));
    }
}
