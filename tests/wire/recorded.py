"""Writes recorded.json: what Confluent's own serializers write by schemas of a real registry, and what that registry says
of them. Needs a registry, `pip install "confluent-kafka[avro,json,protobuf,schemaregistry]" grpcio-tools`, and its address:

    python3 tests/wire/recorded.py http://127.0.0.1:8080/apis/ccompat/v7 > tests/wire/recorded.json
"""

import base64
import datetime
import decimal
import importlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import uuid

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

URL = sys.argv[1].rstrip("/")
registry = SchemaRegistryClient({"url": URL})
answers, records = {}, []


def ask(path):
    with urllib.request.urlopen(URL + path) as answer:
        answers[path] = json.load(answer)
    for reference in answers[path].get("references") or []:
        subject = urllib.parse.quote(reference["subject"], safe="")
        path = f"/subjects/{subject}/versions/{reference['version']}?deleted=true"
        if path not in answers:
            ask(path)


def record(name, value, means):
    ask(f"/schemas/ids/{int.from_bytes(value[1:5], 'big')}")
    records.append({"name": name, "value": base64.b64encode(value).decode(), "means": means})


def context(topic):
    return SerializationContext(topic, MessageField.VALUE)


def register(subject, kind, text, references=()):
    registry.register_schema(subject, Schema(text, kind, [SchemaReference(*one) for one in references]))
    return registry.get_latest_version(subject).version


def avro(name, schema, value, means, references=()):
    text = schema if isinstance(schema, str) else json.dumps(schema)
    schema = Schema(text, "AVRO", [SchemaReference(*one) for one in references])
    record(name, AvroSerializer(registry, schema)(value, context(name)), means)


def logical(kind, meaning, **more):
    return {"type": kind, "logicalType": meaning, **more}


UTC = datetime.timezone.utc
AT = datetime.datetime(2026, 3, 2, 9, 12, 33, 120000, UTC)
avro(
    "event",
    {
        "type": "record",
        "name": "Event",
        "namespace": "org.example.itsm",
        "fields": [
            {"name": name, "type": "string"} for name in ("specversion", "id", "source", "type", "subject", "partner")
        ]
        + [
            {"name": "time", "type": logical("long", "timestamp-millis")},
            {
                "name": "data",
                "type": [
                    "null",
                    {
                        "type": "record",
                        "name": "Ticket",
                        "fields": [
                            {"name": "priority", "type": {"type": "enum", "name": "Priority", "symbols": ["p1", "p2"]}},
                            {"name": "actor", "type": ["null", "string"], "default": None},
                            {"name": "tags", "type": {"type": "array", "items": "string"}},
                        ],
                    },
                ],
            },
        ],
    },
    {
        "specversion": "1.0", "id": "1", "source": "itsm", "type": "ticket.opened", "subject": "INC-1",
        "partner": "p1", "time": AT, "data": {"priority": "p1", "actor": None, "tags": ["a", "b\"c"]},
    },
    {
        "specversion": "1.0", "id": "1", "source": "itsm", "type": "ticket.opened", "subject": "INC-1",
        "partner": "p1", "time": "2026-03-02T09:12:33.120Z",
        "data": {"priority": "p1", "actor": None, "tags": ["a", "b\"c"]},
    },
)
avro(
    "types",
    {
        "type": "record",
        "name": "Types",
        "fields": [
            {"name": "null", "type": "null"},
            {"name": "boolean", "type": "boolean"},
            {"name": "int", "type": "int"},
            {"name": "long", "type": "long"},
            {"name": "float", "type": "float"},
            {"name": "double", "type": "double"},
            {"name": "bytes", "type": "bytes"},
            {"name": "fixed", "type": {"type": "fixed", "name": "Four", "size": 4}},
            {"name": "map", "type": {"type": "map", "values": ["null", "long", "string"]}},
            {"name": "decimal", "type": logical("bytes", "decimal", precision=20, scale=2)},
            {"name": "fixed_decimal", "type": logical("fixed", "decimal", name="Dec", size=8, precision=10, scale=4)},
            {"name": "uuid", "type": logical("string", "uuid")},
            {"name": "date", "type": logical("int", "date")},
            {"name": "time_millis", "type": logical("int", "time-millis")},
            {"name": "time_micros", "type": logical("long", "time-micros")},
            {"name": "timestamp_micros", "type": logical("long", "timestamp-micros")},
            {"name": "before", "type": logical("long", "timestamp-millis")},
            {"name": "local", "type": logical("long", "local-timestamp-millis")},
            {"name": "empty", "type": {"type": "array", "items": "int"}},
            {"name": "unknown", "type": logical("long", "of-somebody-else")},
        ],
    },
    {
        "null": None, "boolean": True, "int": -7, "long": -(2**63), "float": 0.1, "double": 1e300, "bytes": b"\x00\xff",
        "fixed": b"abcd", "map": {"a": None, "b": 1, "c": "x"}, "decimal": decimal.Decimal("-12345678901234567.80"),
        "fixed_decimal": decimal.Decimal("0.0005"), "uuid": uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        "date": datetime.date(1969, 12, 31), "time_millis": datetime.time(9, 0, 0, 5000),
        "time_micros": datetime.time(23, 59, 59, 999999), "timestamp_micros": AT.replace(microsecond=120001),
        "before": datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, UTC),
        "local": datetime.datetime(2026, 3, 29, 2, 30), "empty": [], "unknown": 5,
    },
    {
        "null": None, "boolean": True, "int": -7, "long": -(2**63), "float": 0.1, "double": 1e300, "bytes": "AP8=",
        "fixed": "YWJjZA==", "map": {"a": None, "b": 1, "c": "x"}, "decimal": "-12345678901234567.80",
        "fixed_decimal": "0.0005", "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "date": "1969-12-31",
        "time_millis": "09:00:00.005", "time_micros": "23:59:59.999999",
        "timestamp_micros": "2026-03-02T09:12:33.120001Z", "before": "1969-12-31T23:59:59.999Z",
        "local": "2026-03-29T02:30:00", "empty": [], "unknown": 5,
    },
)
node = {
    "type": "record", "name": "Node",
    "fields": [{"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Node"]}],
}
avro("chain", node, {"n": 1, "next": {"n": 2, "next": None}}, {"n": 1, "next": {"n": 2, "next": None}})
person = {"type": "record", "name": "org.example.Person", "fields": [{"name": "name", "type": "string"}]}
first = register("of/person", "AVRO", json.dumps(person))
team = {"type": "record", "name": "org.example.Team", "fields": [{"name": "lead", "type": "org.example.Person"}]}
second = register("of/team", "AVRO", json.dumps(team), [("org.example.Person", "of/person", first)])
avro(
    "referred",
    {"type": "record", "name": "org.example.All", "fields": [
        {"name": "team", "type": "Team"}, {"name": "who", "type": ["null", "org.example.Person"]}]},
    {"team": {"lead": {"name": "ann"}}, "who": {"name": "bob"}},
    {"team": {"lead": {"name": "ann"}}, "who": {"name": "bob"}},
    [("org.example.Team", "of/team", second), ("org.example.Person", "of/person", first)],
)
row = {"type": "record", "name": "Value", "fields": [{"name": "id", "type": "long"}, {"name": "state", "type": "string"}]}
avro(
    "debezium",
    {"type": "record", "name": "dbz.Envelope", "fields": [
        {"name": "before", "type": ["null", row], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": [{"name": "table", "type": "string"}]}},
        {"name": "op", "type": "string"},
        {"name": "ts_ms", "type": ["null", "long"], "default": None},
    ]},
    {"before": None, "after": {"id": 7, "state": "2"}, "source": {"table": "incident"}, "op": "u", "ts_ms": 1},
    {"id": 7, "state": "2"},
)
avro("text", '{"type":"string"}', '{"specversion":"1.0"}', {"specversion": "1.0"})

schema = json.dumps({"title": "T", "type": "object", "properties": {"id": {"type": "string"}}})
serializer = JSONSerializer(schema, registry, lambda value, _: value)
record("json", serializer({"id": "1", "n": [1, 2.5, None]}, context("json")), {"id": "1", "n": [1, 2.5, None]})

COMMON = 'syntax = "proto3"; package common; message Who { string user_name = 1; }'
OUTER = """syntax = "proto3";
package itsm;
import "google/protobuf/timestamp.proto";
import "common.proto";
message Other { string x = 1; }
message Outer {
  map<string, int32> counts = 1;
  message Event {
    string spec_version = 1;
    int64 big = 2;
    bytes raw = 3;
    google.protobuf.Timestamp time = 4;
    Kind kind = 5;
    common.Who who = 6;
    oneof either { string left = 7; bool right = 8; }
    repeated double numbers = 9;
    string empty = 10;
    optional string said = 11;
  }
  enum Kind { NONE = 0; OPENED = 1; }
}
"""
with tempfile.TemporaryDirectory() as folder:
    for name, text in (("common.proto", COMMON), ("outer.proto", OUTER)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    tools = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={folder}"]
    subprocess.run(tools + ["common.proto", "outer.proto"], cwd=folder, check=True)
    sys.path.insert(0, folder)
    common, outer = importlib.import_module("common_pb2"), importlib.import_module("outer_pb2")
serializer = ProtobufSerializer(common.Who, registry, {"use.deprecated.format": False})
record("message", serializer(common.Who(user_name="ann"), context("message")), {"userName": "ann"})
register("common.proto", "PROTOBUF", COMMON)
version = registry.get_latest_version("common.proto").version
# As Confluent's Java serializer counts nested messages: the entries of maps are none.
event = outer.Outer.Event(
    spec_version="1.0", big=2**60, raw=b"\x00\xff", kind=1, who=common.Who(user_name="bob"), right=False,
    numbers=[0.5, float("nan")], said="",
)
event.time.FromDatetime(AT.replace(tzinfo=None))
ident = registry.register_schema("outer-value", Schema(OUTER, "PROTOBUF", [SchemaReference("common.proto", "common.proto", version)]))
frame = b"\x00" + ident.to_bytes(4, "big") + bytes([4, 2, 0])
record("nested", frame + event.SerializeToString(), {
    "specVersion": "1.0", "big": str(2**60), "raw": "AP8=", "time": "2026-03-02T09:12:33.120Z", "kind": "OPENED",
    "who": {"userName": "bob"}, "right": False, "numbers": [0.5, "NaN"], "said": "",
})
json.dump({"answers": answers, "records": records}, sys.stdout, indent=1)
print()
