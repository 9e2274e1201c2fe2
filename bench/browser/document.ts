/** The page that `bareclip bench --browser` serves. The words that change are put in by page.ts. */
export const pageDocument = (version: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="bareclip-version" content="${version.replace(/[^\w.+-]/g, '')}">
<title>bareclip bench in this browser</title>
<style>${style}</style></head>
<body>
<header><h1>Kernels in this browser</h1>
<p>Every variant of every kernel is compared with the reference first, then timed against what this machine can do at most, measured in the same run. Leave the tab in front and the machine alone.</p></header>
<main>
<section><h2>Here</h2><dl id="here"></dl>
<details id="adapter" hidden><summary>Features and limits of the adapter</summary><p id="features"></p><ul id="limits"></ul></details></section>
<section><h2>What to run</h2>
<form id="form">
<fieldset><legend>Devices</legend><div id="devices"></div></fieldset>
<fieldset><legend>Operations</legend><div id="operations"></div></fieldset>
<fieldset><legend>Weights in</legend><div id="dtypes"></div></fieldset>
<p class="more"><label>Shapes <input id="shapes" placeholder="those of the model" autocomplete="off"></label>
<label>Threads <input id="threads" type="number" min="1" max="256" placeholder="all"></label>
<label><input id="quick" type="checkbox" checked> Quick: fewer shapes and samples</label></p>
<p><button id="run" type="submit">Run</button> <button id="stop" type="button" disabled>Stop</button>
<button id="copy" type="button" disabled>Copy results</button> <button id="download" type="button" disabled>Download</button></p>
</form>
<p id="status" role="status">Loading …</p></section>
<section><h2>Results</h2>
<ul id="roofs"></ul>
<div class="scroll"><table><thead><tr><th>device</th><th>kernel</th><th>in</th><th>variant</th><th class="n">ms</th><th class="n">least … most</th><th class="n">GPU ms</th><th class="n">GFLOP/s</th><th class="n">GB/s</th><th>of its roof</th></tr></thead><tbody id="rows"></tbody></table></div></section>
</main>
<noscript>This page measures with a script: allow it to run.</noscript>
<script type="module" src="/page.js"></script>
</body></html>
`

const style = `:root{color-scheme:light dark;--paper:#fff;--text:#1c1f24;--muted:#5b616b;--line:#d5d8dd;--blue:#0072b2;--loud:#b42318}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--text:#e6e8eb;--muted:#9ca2ad;--line:#363b43;--blue:#56b4e9;--loud:#ff7a6b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1040px;padding:24px;background:var(--paper);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:break-word}
h1{font-size:28px;line-height:1.2;margin:0 0 8px}h2{font-size:20px;margin:32px 0 8px;padding-top:10px;border-top:1px solid var(--line)}
p{max-width:75ch;margin:0 0 12px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0 0 12px}dt{color:var(--muted)}dd{margin:0;min-width:0}
fieldset{border:0;padding:0;margin:0 0 10px;min-width:0}legend{padding:0;color:var(--muted);font-size:14px}
fieldset div,.more{display:flex;flex-wrap:wrap;gap:4px 18px}.more{align-items:center}label{white-space:nowrap}
input:not([type=checkbox]){font:inherit;width:11em;padding:3px 6px;background:transparent;color:inherit;border:1px solid var(--line);border-radius:4px}
#threads{width:5em}
button{font:inherit;padding:6px 16px;border:1px solid var(--line);border-radius:6px;background:transparent;color:inherit;cursor:pointer}
#run{background:var(--blue);border-color:var(--blue);color:var(--paper)}button:disabled{opacity:.45;cursor:default}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:14px;line-height:1.35;min-width:100%}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--muted);font-size:13px}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.wrong td{background:color-mix(in srgb,var(--loud) 14%,var(--paper))}.wrong strong,.failed{color:var(--loud)}
.share{position:relative;min-width:110px;white-space:nowrap}.share i{position:absolute;left:0;bottom:2px;height:3px;background:var(--blue)}
#roofs,#limits{padding-left:18px;color:var(--muted);font-size:14px}#limits{columns:22em}
@media (max-width:600px){body{padding:16px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}}`
