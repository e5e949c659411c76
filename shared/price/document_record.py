"""The objects and lists of an offer document, described by tables of their words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import cast

from shared.price.document_error import Place, shown_as
from shared.price.document_value import JsonSchema, Shape

Values = Mapping[str, object]
"""What was read without error, by attribute."""
Raw = Mapping[str, object]
Check = Callable[[Values, Raw, Place], None]


@dataclass(frozen=True, slots=True)
class Field:
    """One word of an object, and the attribute that holds its value.

    `alias` is another word with another shape for the same attribute; it is read, never
    written. A value that equals the attribute's default is written only if `is_kept`.
    """

    word: str
    attr: str
    shape: Shape
    is_required: bool = False
    is_kept: bool = False
    alias: tuple[str, Shape] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The word and its alias."""
        return (self.word,) if self.alias is None else (self.word, self.alias[0])

    def shape_of(self, word: str) -> Shape:
        """The shape behind one of the words."""
        return self.shape if self.alias is None or word == self.word else self.alias[1]


def attributes(value: object, table: Iterable[Field]) -> Values:
    """The attributes of a value that the table names."""
    return {each.attr: getattr(value, each.attr) for each in table}


@dataclass(frozen=True, slots=True)
class Record:
    """An object with the table's words and no others.

    `make` gets the attributes that were given, `parts` turns a value back into attributes.
    Of `one_of`'s attributes exactly one must be given. `tag` is a word and its fixed text by
    which a Tagged shape chose this record.
    """

    kind: type
    table: tuple[Field, ...]
    one_of: tuple[str, ...] = ()
    check: Check | None = None
    make: Callable[..., object] | None = None
    parts: Callable[[object, Iterable[Field]], Values] = attributes
    tag: tuple[str, str] | None = None

    def read(self, raw: object, place: Place) -> object:
        """The value; all errors of all words are noted."""
        before = len(place.errors)
        given = object_of(raw, place)
        if given is None:
            return None
        self._check_words(given, place)
        values = self._values(given, place)
        if self.check is not None:
            self.check(values, given, place)
        if len(place.errors) > before:
            return None
        return (self.make or self.kind)(**values)

    def _check_words(self, given: Raw, place: Place) -> None:
        known = [word for each in self.table for word in each.words]
        tags = [self.tag[0]] if self.tag else []
        for word in given:
            if word not in known and word not in tags:
                place.at(shown_as(word)).unknown(word, [*tags, *known])
        for each in self.table:
            if each.is_required and not any(word in given for word in each.words):
                place.wrong("required", word=each.word)
        choices = [each for each in self.table if each.attr in self.one_of]
        found = [each for each in choices if any(word in given for word in each.words)]
        if choices and len(found) != 1:
            place.wrong("one_of", words=", ".join(each.word for each in choices))

    def _values(self, given: Raw, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for each in self.table:
            found = [word for word in each.words if word in given]
            if len(found) > 1:
                place.wrong("both", first=found[0], second=found[1])
            for word in found[:1]:
                before = len(place.errors)
                value = each.shape_of(word).read(given[word], place.at(word))
                if len(place.errors) == before:
                    values[each.attr] = value
        return values

    def dump(self, value: object) -> dict[str, object]:
        """The words that say more than the defaults."""
        defaults, parts = defaults_of(self.kind), self.parts(value, self.table)
        written: dict[str, object] = dict([self.tag] if self.tag else [])
        for each in self.table:
            part = parts[each.attr]
            if each.is_required or each.is_kept or part != defaults.get(each.attr):
                written[each.word] = each.shape.dump(part)
        return written

    def schema(self) -> JsonSchema:
        """An object without other words."""
        properties: JsonSchema = {self.tag[0]: {"const": self.tag[1]}} if self.tag else {}
        for each in self.table:
            properties |= {word: each.shape_of(word).schema() for word in each.words}
        needed = [each.word for each in self.table if each.is_required and each.alias is None]
        schema: JsonSchema = {
            "type": "object",
            "properties": properties,
            "required": [*([self.tag[0]] if self.tag else []), *needed],
            "additionalProperties": False,
        }
        choices = self._choices()
        if choices:
            schema["oneOf"] = [{"required": [word]} for word in choices]
        return schema

    def _choices(self) -> list[str]:
        """Words of which exactly one stands in the object."""
        return [
            word
            for each in self.table
            if each.attr in self.one_of or (each.is_required and each.alias is not None)
            for word in each.words
        ]


def defaults_of(kind: type) -> Values:
    """The defaults of a dataclass by attribute."""
    found: dict[str, object] = {}
    for each in fields(kind):
        if each.default is not MISSING:
            found[each.name] = each.default
        elif each.default_factory is not MISSING:
            found[each.name] = each.default_factory()
    return found


@dataclass(frozen=True, slots=True)
class Tagged:
    """One of several objects, told apart by a word; `case_of` names the case of a value."""

    word: str
    cases: Mapping[str, Shape]
    case_of: Callable[[object], str]

    def read(self, raw: object, place: Place) -> object:
        """The value of the case that the word names."""
        given = object_of(raw, place)
        if given is None:
            return None
        if self.word not in given:
            return place.wrong("required", word=self.word)
        name = given[self.word]
        if not isinstance(name, str):
            return place.at(self.word).wrong("text", value=shown_as(name))
        if name not in self.cases:
            return place.at(self.word).unknown(name, tuple(self.cases))
        return self.cases[name].read(raw, place)

    def dump(self, value: object) -> object:
        """The object of the value's case."""
        return self.cases[self.case_of(value)].dump(value)

    def schema(self) -> JsonSchema:
        """Any of the cases."""
        return {"oneOf": [case.schema() for case in self.cases.values()]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one shape, at least one; as a tuple, or with `is_set` a frozenset.

    `is_sorted` brings a tuple into order: where order says nothing, equal content is equal.
    """

    shape: Shape
    is_set: bool = False
    is_sorted: bool = False
    may_be_empty: bool = False

    def read(self, raw: object, place: Place) -> object:
        """All values; every item's errors are noted."""
        if not isinstance(raw, list | tuple):
            return place.wrong("list", value=shown_as(raw))
        if not raw and not self.may_be_empty:
            return place.wrong("empty")
        before = len(place.errors)
        values = [self.shape.read(each, place.item(number)) for number, each in enumerate(raw)]
        if len(place.errors) > before:
            return None
        if self.is_set:
            return frozenset(values)
        return tuple(sorted(cast("list[str]", values)) if self.is_sorted else values)

    def dump(self, value: object) -> object:
        """A list, in order of its values where the document's order says nothing."""
        values = cast("Iterable[str]", value)
        ordered = sorted(values) if self.is_set or self.is_sorted else values
        return [self.shape.dump(each) for each in ordered]

    def schema(self) -> JsonSchema:
        """An array."""
        least: JsonSchema = {} if self.may_be_empty else {"minItems": 1}
        return {"type": "array", "items": self.shape.schema(), **least}


@dataclass(frozen=True, slots=True)
class Named:
    """A shape that refers to itself by a word, and its name in the schema's definitions."""

    name: str
    shape: Callable[[], Shape]
    word: str
    depth_max: int

    def read(self, raw: object, place: Place) -> object:
        """The value, unless it nests too deeply."""
        if place.path.count(f".{self.word}") > self.depth_max:
            return place.wrong("deep", limit=self.depth_max)
        return self.shape().read(raw, place)

    def dump(self, value: object) -> object:
        """As the shape writes it."""
        return self.shape().dump(value)

    def schema(self) -> JsonSchema:
        """A reference."""
        return {"$ref": f"#/$defs/{self.name}"}


def object_of(raw: object, place: Place) -> Raw | None:
    """An object with text as words, or None with a note."""
    if isinstance(raw, Mapping) and all(isinstance(word, str) for word in raw):
        return raw
    place.wrong("object", value=shown_as(raw))
    return None
