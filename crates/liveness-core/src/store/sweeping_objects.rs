//! Sweeps away objects that hold no face: those that were put in vain, and those of erased faces.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Store;
use super::engine::error::{OpenError, StoreError};
use super::tables::face_objects::FaceObjects;
use super::tables::faces;
use crate::Timestamp;
use crate::faces::{ObjectName, StoredObject};

/// The age from which an object without a row is swept away. A record is committed within seconds after its object was put;
/// the rest of the day is for clocks that differ.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many objects are looked at in one statement.
const STEP: usize = 256;
/// If so many objects in a row hold no face, the database is perhaps an older copy of itself, or empty.
const SUSPICIOUS: usize = 1000;

/// What a sweep has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweptObjects {
    /// How many objects are a day old at least.
    pub old: u64,
    /// How many of them held no face, and were deleted.
    pub deleted: u64,
}

impl Store {
    /// Whether the store knows a place of faces outside the database.
    pub fn has_face_place(&self) -> bool {
        self.face_tools.objects.is_some()
    }

    /// Marks the place of the faces outside the database as that of an owner, unless it is marked already. The owner is the same
    /// for all who use the database, and for nobody else: the public key of its trail. Without such a place, it does nothing. Blocks.
    ///
    /// To a database, the objects of another look as if they were put in vain. So no two may share a place.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if it is marked as that of another, or [is out of reach](OpenError::is_out_of_reach).
    pub fn claim_face_place(&self, owner: &str) -> Result<(), OpenError> {
        let Some(objects) = &self.face_tools.objects else {
            return Ok(());
        };
        match objects.claim(owner) {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::new(
                "the faces there are of another database, with another audit trail".to_owned(),
            )
            .mended_by(
                "name a prefix that is this database's alone; if the key of the trail was replaced, delete the object \
                     00000000000000000000000000000000",
            )),
            Err(error) => Err(OpenError::of_place(&error)),
        }
    }

    /// Deletes each object that no face is in and that is a day old. Others record meanwhile. Without a place outside the
    /// database, it does nothing. Objects whose names are not those of faces are left alone. Blocks.
    ///
    /// If no old object at all holds a face, or none of a thousand in a row, the database is perhaps an older copy of itself. Then
    /// they are left, or this is an error: the faces of a database that was set back can be had again as long as their objects are
    /// there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the database or the place is out of reach: another sweep goes on.
    /// [`StoreError::Internal`] when the place is not this owner's, see [`claim_face_place`](Self::claim_face_place), or when the
    /// database seems to be an older copy.
    pub fn sweep_objects(&self, now: Timestamp, owner: &str) -> Result<SweptObjects, StoreError> {
        let Some(objects) = &self.face_tools.objects else {
            return Ok(SweptObjects::default());
        };
        if !objects.claim(owner).map_err(StoreError::unavailable)? {
            return Err(StoreError::internal(
                "the faces in the object store are of another database",
            ));
        }
        let mut sweep = Sweep {
            store: self,
            objects,
            before: now.unix_millis() - i64::try_from(AGE.as_millis()).unwrap_or(i64::MAX),
            next: Vec::with_capacity(STEP),
            unused: Vec::new(),
            holds_any: false,
            swept: SweptObjects::default(),
        };
        let mut failed = None;
        objects.list(|object| match sweep.take(object) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None => sweep.end(),
        }
    }
}

struct Sweep<'a> {
    store: &'a Store,
    objects: &'a FaceObjects,
    before: i64,
    next: Vec<ObjectName>,
    /// Those that no face is in, since the last one that holds a face.
    unused: Vec<ObjectName>,
    /// Whether an object holds a face.
    holds_any: bool,
    swept: SweptObjects,
}

impl Sweep<'_> {
    fn take(&mut self, object: StoredObject) -> Result<(), StoreError> {
        if object.put_at.unix_millis() <= self.before && object.name != ObjectName::MARK {
            self.next.push(object.name);
        }
        if self.next.len() < STEP {
            return Ok(());
        }
        self.step()
    }

    /// Looks at the next objects. Deletes those that no face is in, once another one holds a face.
    fn step(&mut self) -> Result<(), StoreError> {
        let names: Vec<String> = self.next.iter().map(ToString::to_string).collect();
        let held = self.store.connections.read(|conn| faces::in_objects(conn, &names))?;
        let next: Vec<_> = self.next.drain(..).zip(names).collect();
        for (object, name) in next {
            self.swept.old += 1;
            if !held.contains(&name) {
                self.unused.push(object);
                self.check_suspicion()?;
                continue;
            }
            self.holds_any = true;
            self.delete_unused()?;
        }
        Ok(())
    }

    /// Refuses to go on when too many objects in a row hold no face.
    fn check_suspicion(&self) -> Result<(), StoreError> {
        if self.unused.len() < SUSPICIOUS {
            return Ok(());
        }
        Err(StoreError::internal(format!(
            "{SUSPICIOUS} objects in a row hold no face: the database seems to be an older copy of itself, so they are left"
        )))
    }

    fn delete_unused(&mut self) -> Result<(), StoreError> {
        for object in self.unused.drain(..) {
            self.objects.delete(&object)?;
            self.swept.deleted += 1;
        }
        Ok(())
    }

    /// Looks at the last objects.
    fn end(mut self) -> Result<SweptObjects, StoreError> {
        self.step()?;
        if self.holds_any {
            self.delete_unused()?;
        }
        Ok(self.swept)
    }
}
