/** Where the page's files are, as the webview may load them, and what its security policy is made of. */
export interface PageResources {
  readonly cspSource: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  /** Fresh for every loading; letters and digits. */
  readonly nonce: string;
  /** For instance `en`. */
  readonly locale: string;
}

/**
 * The document of every page: an empty root, one script, one style sheet. It holds no data and no text of a
 * model, so there is nothing to escape; everything comes by message after the page's `ready`.
 */
export function pageHtml({ cspSource, scriptUri, styleUri, nonce, locale }: PageResources): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `img-src ${cspSource}`,
    `font-src ${cspSource}`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${styleUri}">
<title>Modelbench</title>
</head>
<body>
<div id="root"></div>
<script nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>`;
}
