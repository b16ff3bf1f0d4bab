// SPDX-License-Identifier: Apache-2.0
// The style of the HTML report. Verdicts are words first and colours second; contrast is at least 4.5 to 1 in both
// themes (WCAG 2.2, 1.4.3). On paper everything that can be opened is open.
#pragma once

namespace sentinel {

inline constexpr const char* kAuditStyle = R"css(
:root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;
--fail:#a40e26;--unknown:#6639ba;--warn:#7d4e00;--waived:#0550ae;--pass:#116329;--na:#57606a;--chip:#fff}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--soft:#9aa5b1;--line:#30363d;--card:#161b22;
--fail:#ff8182;--unknown:#d2a8ff;--warn:#e3b341;--waived:#79c0ff;--pass:#56d364;--na:#9aa5b1;--chip:#0d1117}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:64rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 .5rem}h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
p{margin:.25rem 0}.soft{color:var(--soft)}
a{color:inherit}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:block;width:100%;min-width:4rem;height:.6rem;background:var(--line);border-radius:.3rem;overflow:hidden}
.bar i{display:block;height:100%;background:var(--pass)}
.trend{display:block;width:100%;height:3rem}.trend polyline{fill:none;stroke:var(--pass);stroke-width:2;vector-effect:non-scaling-stroke}
.trend line{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.chips{display:flex;flex-wrap:wrap;gap:.4rem;margin:.5rem 0;padding:0;list-style:none}
.chip{display:inline-block;padding:0 .5rem;border-radius:1rem;border:1px solid currentColor;font-size:.85rem;font-weight:600;white-space:nowrap}
.fail{color:var(--fail)}.unknown{color:var(--unknown)}.warn{color:var(--warn)}.waived{color:var(--waived)}.pass{color:var(--pass)}.not-applicable{color:var(--na)}
.finding{border:1px solid var(--line);border-left:.3rem solid currentColor;border-radius:.3rem;background:var(--card);margin:.5rem 0;padding:.5rem .75rem}
.finding>*{color:var(--text)}.finding>summary{cursor:pointer}
.finding .chip.fail{color:var(--fail)}.finding .chip.unknown{color:var(--unknown)}.finding .chip.warn{color:var(--warn)}
.finding .chip.waived{color:var(--waived)}.finding .chip.pass{color:var(--pass)}.finding .chip.not-applicable{color:var(--na)}
dl{display:grid;grid-template-columns:5rem 1fr;gap:.15rem .75rem;margin:.5rem 0 0}dt{color:var(--soft)}dd{margin:0}
dd.seen{font-family:ui-monospace,monospace;font-size:.9rem}
@media (max-width:36rem){dl{grid-template-columns:1fr}dt{margin-top:.25rem}}
@media print{:root{color-scheme:light;--page:#fff;--text:#000;--soft:#444;--line:#bbb;--card:#fff;--fail:#a40e26;--unknown:#6639ba;
--warn:#7d4e00;--waived:#0550ae;--pass:#116329;--na:#444}
body{max-width:none;padding:0;font-size:10pt}.finding{break-inside:avoid}.bar i,.bar{print-color-adjust:exact}
h2,h3{break-after:avoid}details::details-content{display:block;content-visibility:visible;height:auto}}
)css";

}  // namespace sentinel
