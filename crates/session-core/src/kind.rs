//! What kind of value a serializer was given, and a deserializer that refuses to read another kind.

use std::{error::Error, fmt};

use serde::{
    Serialize,
    de::{self, Deserializer, Visitor},
    ser::{self, Impossible, Serializer},
};

macro_rules! kinds {
    ($($name:ident = $tag:literal, $text:literal;)*) => {
        /// The outermost kind of a value. The numbers are part of the record format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($name = $tag),* }

        impl Kind {
            pub(crate) const fn from_tag(tag: u8) -> Option<Self> {
                match tag { $($tag => Some(Self::$name),)* _ => None }
            }

            pub(crate) const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

kinds! {
    Bool = 1, "a boolean";
    Byte = 2, "an 8-bit unsigned integer";
    Unsigned = 3, "an unsigned integer";
    SignedByte = 4, "an 8-bit signed integer";
    Signed = 5, "a signed integer";
    Float32 = 6, "a 32-bit float";
    Float64 = 7, "a 64-bit float";
    Char = 8, "a character";
    Text = 9, "text";
    Bytes = 10, "bytes";
    Option = 11, "an option";
    Unit = 12, "a unit";
    Sequence = 13, "a sequence";
    Tuple = 14, "a tuple";
    Map = 15, "a map";
    Struct = 16, "a struct";
    Enum = 17, "an enum";
}

/// The kind of `value`, found by asking it to serialize itself and stopping at its first word.
pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Kind, Box<dyn Error + Send + Sync>> {
    match value.serialize(Probe) {
        Err(Stopped::At(kind)) => Ok(kind),
        Err(Stopped::Failed(message)) => Err(message.into()),
        Ok(()) => Ok(Kind::Unit),
    }
}

struct Probe;

#[derive(Debug)]
enum Stopped {
    At(Kind),
    Failed(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(kind) => kind.fmt(f),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

impl Error for Stopped {}

impl ser::Error for Stopped {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Failed(message.to_string())
    }
}

macro_rules! stop {
    ($($method:ident($($argument:ty),*) $(-> $answer:ident)? => $kind:ident;)*) => {
        $(
            fn $method(self $(, _: $argument)*) -> Result<stop!(@answer $($answer)?), Stopped> {
                Err(Stopped::At(Kind::$kind))
            }
        )*
    };
    (@answer) => { () };
    (@answer $answer:ident) => { Self::$answer };
}

impl Serializer for Probe {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Impossible<(), Stopped>;
    type SerializeTuple = Impossible<(), Stopped>;
    type SerializeTupleStruct = Impossible<(), Stopped>;
    type SerializeTupleVariant = Impossible<(), Stopped>;
    type SerializeMap = Impossible<(), Stopped>;
    type SerializeStruct = Impossible<(), Stopped>;
    type SerializeStructVariant = Impossible<(), Stopped>;

    stop! {
        serialize_bool(bool) => Bool;
        serialize_u8(u8) => Byte;
        serialize_u16(u16) => Unsigned;
        serialize_u32(u32) => Unsigned;
        serialize_u64(u64) => Unsigned;
        serialize_u128(u128) => Unsigned;
        serialize_i8(i8) => SignedByte;
        serialize_i16(i16) => Signed;
        serialize_i32(i32) => Signed;
        serialize_i64(i64) => Signed;
        serialize_i128(i128) => Signed;
        serialize_f32(f32) => Float32;
        serialize_f64(f64) => Float64;
        serialize_char(char) => Char;
        serialize_str(&str) => Text;
        serialize_bytes(&[u8]) => Bytes;
        serialize_none() => Option;
        serialize_unit() => Unit;
        serialize_unit_struct(&'static str) => Unit;
        serialize_unit_variant(&'static str, u32, &'static str) => Enum;
        serialize_seq(std::option::Option<usize>) -> SerializeSeq => Sequence;
        serialize_tuple(usize) -> SerializeTuple => Tuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct => Tuple;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant => Enum;
        serialize_map(std::option::Option<usize>) -> SerializeMap => Map;
        serialize_struct(&'static str, usize) -> SerializeStruct => Struct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant => Enum;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Stopped> {
        Err(Stopped::At(Kind::Option))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stopped> {
        Err(Stopped::At(Kind::Enum))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// A deserializer that answers only to the kind that was written.
pub(crate) struct Expecting<D> {
    inner: D,
    written: Kind,
}

impl<D> Expecting<D> {
    pub(crate) const fn new(inner: D, written: Kind) -> Self {
        Self { inner, written }
    }
}

macro_rules! expect {
    ($($method:ident($($argument:ident: $type:ty),*) => $kind:ident;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
                if self.written != Kind::$kind {
                    return Err(de::Error::custom(format_args!("{} was stored, {} was asked for", self.written, Kind::$kind)));
                }
                self.inner.$method($($argument,)* visitor)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Expecting<D> {
    type Error = D::Error;

    expect! {
        deserialize_bool() => Bool;
        deserialize_u8() => Byte;
        deserialize_u16() => Unsigned;
        deserialize_u32() => Unsigned;
        deserialize_u64() => Unsigned;
        deserialize_u128() => Unsigned;
        deserialize_i8() => SignedByte;
        deserialize_i16() => Signed;
        deserialize_i32() => Signed;
        deserialize_i64() => Signed;
        deserialize_i128() => Signed;
        deserialize_f32() => Float32;
        deserialize_f64() => Float64;
        deserialize_char() => Char;
        deserialize_str() => Text;
        deserialize_string() => Text;
        deserialize_identifier() => Text;
        deserialize_bytes() => Bytes;
        deserialize_byte_buf() => Bytes;
        deserialize_option() => Option;
        deserialize_unit() => Unit;
        deserialize_unit_struct(name: &'static str) => Unit;
        deserialize_seq() => Sequence;
        deserialize_tuple(length: usize) => Tuple;
        deserialize_tuple_struct(name: &'static str, length: usize) => Tuple;
        deserialize_map() => Map;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => Struct;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) => Enum;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
