//! The variants of an enum, and what they hold.

use std::fmt;

use serde::de::{DeserializeSeed, EnumAccess, VariantAccess, Visitor};

use super::findings::Findings;
use super::path::Path;
use super::reader::Seed;
use super::typed::{Shape, Typed};

/// The visitor of an enum.
pub(super) struct EnumReader<'a, V> {
    pub(super) visitor: V,
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for EnumReader<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variants: A) -> Result<V::Value, A::Error> {
        let read = self.visitor.visit_enum(Variants {
            variants,
            path: self.path,
            findings: &mut *self.findings,
        });
        self.findings.noting_error(self.path, &[], read)
    }
}

/// The variants of an enum, or what one of them holds.
struct Variants<'a, A> {
    variants: A,
    path: Path<'a>,
    findings: &'a mut Findings,
}

impl<'a, A> Variants<'a, A> {
    /// The variants, and the visitor of what one of them holds.
    fn typed<V>(self, shape: Shape, visitor: V) -> (A, Typed<'a, V>) {
        let typed = Typed {
            visitor,
            shape,
            path: self.path,
            findings: self.findings,
            is_optional: false,
        };
        (self.variants, typed)
    }
}

impl<'a, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Variants<'a, A> {
    type Error = A::Error;
    type Variant = Variants<'a, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (variant, variants) = self.variants.variant_seed(seed)?;
        let content = Variants {
            variants,
            path: self.path,
            findings: self.findings,
        };
        Ok((variant, content))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Variants<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.variants.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.variants.newtype_variant_seed(Seed {
            seed,
            path: self.path,
            findings: self.findings,
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let (variants, typed) = self.typed(Shape::Array, visitor);
        variants.tuple_variant(length, typed)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let (variants, typed) = self.typed(Shape::Struct(fields), visitor);
        variants.struct_variant(fields, typed)
    }
}
