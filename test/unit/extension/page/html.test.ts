import assert from "node:assert/strict";
import { test } from "node:test";
import { pageHtml } from "../../../../src/extension/page/html";

test("the document has the strict policy, one script with the nonce and nothing inline", () => {
  const html = pageHtml({
    cspSource: "https://example.test",
    scriptUri: "https://example.test/page.js",
    styleUri: "https://example.test/page.css",
    nonce: "abc123",
    locale: "en",
  });
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1];
  assert.equal(
    policy,
    "default-src 'none'; script-src 'nonce-abc123'; style-src https://example.test; img-src https://example.test; font-src https://example.test",
  );
  assert.deepEqual(html.match(/<script[^>]*>/g), ['<script nonce="abc123" src="https://example.test/page.js">']);
  assert.doesNotMatch(html, /<style|style=|unsafe|\son\w+=|data:|blob:/);
});
