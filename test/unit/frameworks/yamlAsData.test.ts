import assert from "node:assert/strict";
import { test } from "node:test";
import { stringifyExact } from "../../../src/formats/jsonExact";
import { parsePyYaml, type YamlValue } from "../../../src/formats/pyYaml";
import { yamlAsData } from "../../../src/frameworks/yamlAsData";
import { failsWith } from "../../fixtures/failures";

test("every kind of YAML value has a strict JSON form, in order", () => {
  const text = `
b: [1, 1.5, 123456789012345678901234567890, .nan, .inf, true, null]
2: !!binary aGk=
day: 2024-02-03
time: 2024-02-03 04:05:06.000007+02:30
naive: 2024-02-03 04:05:06
set: !!set {x: null, y: null}
`;
  assert.equal(
    stringifyExact(yamlAsData(parsePyYaml(text))),
    '{"b":[1,1.5,123456789012345678901234567890,"NaN","Infinity",true,null],"2":"aGk=","day":"2024-02-03",' +
      '"time":"2024-02-03T04:05:06.000007+02:30","naive":"2024-02-03T04:05:06","set":["x","y"]}',
  );
});

test("values shared by aliases are written out, but not without end", () => {
  assert.equal(stringifyExact(yamlAsData(parsePyYaml("a: &x [1]\nb: *x"))), '{"a":[1],"b":[1]}');
  const circle: YamlValue[] = [];
  circle.push(circle);
  failsWith("budget.exceeded", () => yamlAsData(circle));
  let wide: YamlValue = ["ha"];
  for (let i = 0; i < 30; i++) wide = [wide, wide];
  failsWith("budget.exceeded", () => yamlAsData(wide));
});
