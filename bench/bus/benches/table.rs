//! Counts what each allocates, reads what criterion measured, and prints both as one Markdown table.

use std::alloc::System;
use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bus_bench::{CONTESTANTS, Measure, Scenario};
use crowd::CROWD;
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What criterion leaves of a measurement, as far as it is read here.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cell {
    scenario: &'static str,
    contestant: &'static str,
    median_ns: f64,
    confidence_level: f64,
    lower_bound_ns: f64,
    upper_bound_ns: f64,
    allocations: usize,
    bytes: usize,
}

struct Counted(HashMap<&'static str, (usize, usize)>);

impl Measure for Counted {
    fn operation<T>(&mut self, contestant: &'static str, mut operation: impl FnMut() -> T) {
        const TIMES: usize = 100;
        // What grows does so now.
        (0..TIMES).for_each(|_| drop(operation()));
        let region = Region::new(ALLOCATOR);
        (0..TIMES).for_each(|_| drop(operation()));
        let counted = region.change();
        let allocations = (counted.allocations + counted.reallocations) / TIMES;
        self.0
            .insert(contestant, (allocations, counted.bytes_allocated / TIMES));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let mut cells = Vec::new();
    println!("| median ns (allocations, bytes) | {} |", CONTESTANTS.join(" | "));
    println!("| :--- |{}", " ---: |".repeat(CONTESTANTS.len()));
    for scenario in Scenario::ALL {
        let mut counted = Counted(HashMap::new());
        scenario.run(&CROWD, &mut counted);
        print!("| {} |", scenario.name());
        for contestant in CONTESTANTS {
            let Some((allocations, bytes)) = counted.0.get(contestant) else {
                print!(" |");
                continue;
            };
            let folder: PathBuf = ["criterion", scenario.name(), contestant, "new"].iter().collect();
            let file = target.join(folder).join("estimates.json");
            let json = fs::read(&file).map_err(|error| format!("{}: {error}: run `cargo bench`", file.display()))?;
            let Estimates { median } = serde_json::from_slice(&json)?;
            print!(
                " {:.*} ({allocations}, {bytes}) |",
                if median.point_estimate < 10.0 { 1 } else { 0 },
                median.point_estimate
            );
            cells.push(Cell {
                scenario: scenario.name(),
                contestant,
                median_ns: median.point_estimate,
                confidence_level: median.confidence_interval.confidence_level,
                lower_bound_ns: median.confidence_interval.lower_bound,
                upper_bound_ns: median.confidence_interval.upper_bound,
                allocations: *allocations,
                bytes: *bytes,
            });
        }
        println!();
    }
    println!("\n{}", include_str!("notes.md"));
    fs::write(target.join("bus.json"), serde_json::to_vec_pretty(&cells)?)?;
    Ok(())
}
