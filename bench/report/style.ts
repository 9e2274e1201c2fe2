import { darkVariables, lightVariables } from './theme.ts'

export const style = `:root{color-scheme:light dark;${lightVariables}}
@media (prefers-color-scheme:dark){:root{${darkVariables}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:break-word}
main,header,footer{max-width:1040px;margin:0 auto;padding:0 24px}
header{padding-top:32px}
h1{font-size:28px;line-height:1.2;margin:0 0 8px}
h2{font-size:22px;line-height:1.25;margin:56px 0 12px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:16px;margin:0 0 2px}
p{margin:0 0 12px;max-width:75ch}
a{color:var(--series-0)}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin:12px 0 0}
code{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
figure{margin:24px 0 32px;min-width:0}
figcaption p{color:var(--muted);font-size:14px;margin:0 0 10px;max-width:80ch}
figure .repeat code{display:block}
figure .repeat span{display:inline-block;max-width:100%}
figure .repeat{color:var(--muted);font-size:13px;margin:8px 0 0;max-width:none}
figure svg{display:block;max-width:100%;height:auto}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,470px),1fr));gap:0 32px}
.narrow{display:none}
.scroll{overflow-x:auto;margin:16px 0 24px}
table{border-collapse:collapse;font-size:14px;line-height:1.35;min-width:100%}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);font-weight:400;overflow-wrap:normal;max-width:26em}
thead th{color:var(--muted);font-size:13px;vertical-align:bottom}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
small,.note,.notes{color:var(--muted);font-size:13px}
.notes{padding-left:18px;margin:-12px 0 24px}
.best td:nth-child(n+4){font-weight:600}
.share{min-width:110px;position:relative;white-space:nowrap}
.share i{position:absolute;left:0;bottom:2px;height:3px;background:var(--series-0)}
.wrong td,.wrong th{background:color-mix(in srgb,var(--loud) 14%,var(--paper));border-bottom-color:var(--loud)}
.wrong strong,.alarm>strong+strong,.failed{color:var(--loud)}
tbody th:not(.n){min-width:7em}
.failed{white-space:normal}
.alarm{border-left:4px solid var(--loud);padding:6px 12px;background:color-mix(in srgb,var(--loud) 10%,var(--paper))}
summary{cursor:pointer}
footer{padding-top:24px;padding-bottom:48px;color:var(--muted);font-size:13px}
@media (max-width:700px){
main,header,footer{padding-left:16px;padding-right:16px}
.wide{display:none}
.narrow{display:block}
h1{font-size:24px}h2{font-size:20px}
}
@media print{
:root{color-scheme:light;${lightVariables}}
body{font-size:11pt}
nav{display:none}
main,header,footer{max-width:none;padding:0}
.wide{display:block}
.narrow{display:none}
figure,tr{break-inside:avoid}
h2,caption{break-after:avoid}
.scroll{overflow:visible}
table{font-size:8.5pt}
}
`
