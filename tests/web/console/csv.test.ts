import { expect, test } from "vitest";
import { csvText } from "../../../cloud/web/src/lib/csv.ts";

test("a table becomes RFC 4180 with a byte order mark", () => {
  expect(csvText(["a", "b"], [["1,5", 'say "hi"'], [null, "两\n行"]])).toBe(
    '\uFEFFa,b\r\n"1,5","say ""hi"""\r\n,"两\n行"\r\n',
  );
});

test("a text that a spreadsheet would run as a formula stays a text, a number stays a number", () => {
  expect(csvText(["x"], [["=1+1"], ["-2"], [-2], ["@cmd"]])).toBe(
    "\uFEFFx\r\n'=1+1\r\n'-2\r\n-2\r\n'@cmd\r\n",
  );
});
