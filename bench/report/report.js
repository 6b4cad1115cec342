// Draws the report that is embedded in this page. A page opened from disk can load no module:
// scripts/assemble-report joins this one and those it imports into a single script.
import { drawCluster } from './cluster_section.mjs';
import { drawAgainst, drawClients, drawTls, drawTokens } from './comparison_sections.mjs';
import { drawBytes, drawCpu, drawMemory } from './cost_sections.mjs';
import { drawGlance } from './glance_section.mjs';
import { drawHead } from './head.mjs';
import { drawLatency } from './latency_section.mjs';
import { drawNetworks } from './network_section.mjs';
import { drawSentences } from './page.mjs';
import { followPage } from './plots.mjs';
import { TABLE_SECTIONS } from './table_sections.mjs';
import { drawTables } from './tables.mjs';
import { drawTimeline } from './timeline_section.mjs';

const report = JSON.parse(document.getElementById('report').textContent);

drawHead(report);
drawSentences('warnings', 'Warnings', report.warnings);
for (const draw of [drawAgainst, drawTls, drawTokens, drawClients, drawGlance, drawNetworks,
	drawLatency, drawCpu, drawBytes, drawMemory, drawTimeline])
	draw(report);
for (const [scenario, title, text] of TABLE_SECTIONS) {
	drawTables(report, scenario, title, text);
	if (scenario === 'cluster')
		drawCluster(report);
}
drawSentences('not-measured', 'Not measured', report.not_measured);
document.getElementById('foot').textContent = 'This file has the figures of all repeats as JSON, ' +
	'in the element with the id "report". It loads nothing from the network.';
followPage();
