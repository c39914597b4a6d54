import { type EChartsOption, init } from 'echarts';
import type { Line } from './figure.ts';

/** Bars to the right of one have reached their goal. Logarithmic, because some are far beyond. */
export function goalsPlot(lines: readonly Line[]): string {
  const bars = lines
    .filter(({ goal }) => goal !== '')
    .map((line) => ({ name: nameOf(line), value: shareOf(line), reached: line.reached }))
    .reverse();
  return draw(bars.length * 26 + 70, {
    title: { text: 'Share of the goal', left: 'center', textStyle: { fontSize: 14 } },
    grid: { left: 430, right: 30, top: 34, bottom: 30 },
    xAxis: { type: 'log', min: 0.1, axisLabel: { formatter: '{value}×' } },
    yAxis: { type: 'category', data: bars.map(({ name }) => name), axisLabel: { width: 420, overflow: 'truncate' } },
    series: [
      {
        type: 'bar',
        data: bars.map(({ value, reached }) => ({ value, itemStyle: { color: reached ? '#2e7d32' : '#c62828' } })),
        markLine: { silent: true, symbol: 'none', data: [{ xAxis: 1 }], label: { show: false } },
      },
    ],
  });
}

/** What is stored and refused, and how long what is stored takes, against what is offered. */
export function overloadPlot(points: readonly NonNullable<Line['point']>[]): string {
  const line = (name: string, key: 'stored' | 'refused' | 'p50Ms' | 'p99Ms', yAxisIndex: number) => ({
    ...{ name, type: 'line' as const, yAxisIndex, data: points.map((point) => [point.offered, point[key]]) },
    ...(yAxisIndex === 1 ? { lineStyle: { type: 'dashed' as const } } : {}),
  });
  return draw(420, {
    legend: { top: 0 },
    grid: { left: 80, right: 80, top: 50, bottom: 50 },
    xAxis: { type: 'value', name: 'offered, messages/s', nameLocation: 'middle', nameGap: 30 },
    yAxis: [
      { type: 'value', name: 'messages/s' },
      { type: 'value', name: 'ms' },
    ],
    series: [
      line('stored', 'stored', 0),
      line('refused', 'refused', 0),
      line('p50, ms', 'p50Ms', 1),
      line('p99, ms', 'p99Ms', 1),
    ],
  });
}

const nameOf = ({ figure, reference }: Line): string => (reference === '' ? figure : `${figure} (${reference})`);

/** One where the goal is just reached, more where it is passed, whichever way the figure counts. */
function shareOf({ goal, ratio, candidate }: Line): number {
  const bound = Number(/[\d.,]+/.exec(goal)?.[0].replaceAll(',', ''));
  if (goal.startsWith('≥')) return ratio / bound;
  const value = goal.includes('×') ? ratio : candidate;
  // Nothing where nothing is wanted, and next to nothing, are all of the goal and ten times it.
  if (bound === 0) return value === 0 ? 1 : 0.1;
  return Math.min(10, bound / Math.max(value, bound / 10));
}

function draw(height: number, option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 960, height });
  chart.setOption({ animation: false, backgroundColor: '#ffffff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
