import assert from "node:assert/strict";
import { test } from "node:test";
import { notificationText } from "../../../src/extension/notificationText";

/** What VS Code makes a link of in a notification. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

test("what a model says is no link in a notification, and hides nothing", () => {
  const said = 'ValueError: [Mend it](command:workbench.action.terminal.sendSequence?%7B%7D "now")\n[a](file:///b)';
  assert.match(said, LINK);
  assert.doesNotMatch(notificationText(said), LINK);
  assert.doesNotMatch(notificationText("[a]\u200b(command:x)[b][c](https://d)"), LINK);
  assert.equal(notificationText("one\r\n  two \u202eeerht\u001b[2J"), "one two \\u{202e}eerht\\u{1b}[2J");
  assert.equal(notificationText("iris:v1 saved."), "iris:v1 saved.");
});
