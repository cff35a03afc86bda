// Stacked bars over time, in SVG, as wide as their place. A table with the same numbers goes along for whoever cannot see them.

import { h, put, svg } from './dom.js';
import { midnight } from './hours.js';
import { clock, count, day, shortCount } from './words.js';

/** Half of what a letter of a label takes, about, in pixels: labels must not stick out on the right. */
const HALF_LETTER = 3.2;
const MARGIN = { top: 8, right: 2, bottom: 24, left: 44 };

/**
 * `series` are `{ name, label }`, bottom first; the name is also the class that gives the colour. `slots` are
 * `{ start, hours, values }`, oldest first.
 */
export function barChart({ label, caption, series, slots, height = 240 }) {
    const place = h('div');
    const tip = h('div', { class: 'chart-tip', hidden: true, 'aria-hidden': 'true' });
    const figure = h(
        'div',
        {
            class: 'chart',
            onpointerleave: () => {
                tip.hidden = true;
            },
        },
        place,
        tip,
    );
    const draw = (width) => put(place, drawing({ label, series, slots, width, height, point }));

    function point(slot, at) {
        put(
            tip,
            h('p', { class: 'when' }, span(slot)),
            h(
                'ul',
                {},
                series
                    .filter((one) => slot.values[one.name] > 0)
                    .reverse()
                    .map((one) => legendItem(one, slot.values[one.name])),
            ),
            total(slot) === 0 && h('p', { class: 'quiet' }, 'No requests'),
        );
        tip.hidden = false;
        const room = figure.clientWidth - tip.offsetWidth;
        tip.style.left = `${Math.max(0, Math.min(room, at > room / 2 + tip.offsetWidth / 2 ? at - tip.offsetWidth - 10 : at + 10))}px`;
    }

    new ResizeObserver(([entry]) => {
        if (entry.contentRect.width > 0) draw(Math.round(entry.contentRect.width));
    }).observe(place);
    return h(
        'figure',
        {},
        figure,
        h(
            'ul',
            { class: 'legend' },
            series.map((one) => legendItem(one)),
        ),
        numbers(caption, series, slots),
    );
}

function legendItem({ name, label }, number) {
    return h(
        'li',
        {},
        h('span', { class: `swatch ${name}`, 'aria-hidden': 'true' }),
        label,
        number !== undefined && h('span', { class: 'number' }, count(number)),
    );
}

function drawing({ label, series, slots, width, height, point }) {
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const top = niceTop(Math.max(1, ...slots.map(total)));
    const step = inner.width / slots.length;
    const y = (value) => MARGIN.top + inner.height * (1 - value / top.value);
    const x = (index) => MARGIN.left + index * step;
    const base = MARGIN.top + inner.height;
    const grid = Array.from({ length: top.ticks }, (_, index) => (index + 1) * top.step).map((value) => [
        svg('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
        svg('text', { x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, shortCount(value)),
    ]);
    const gap = step > 6 ? Math.min(4, step * 0.2) : step > 3 ? 0.75 : 0;
    const columns = slots.map((slot, index) => {
        let floor = 0;
        const bars = series.map(({ name }) => {
            const value = slot.values[name] ?? 0;
            if (value === 0) return null;
            floor += value;
            return svg('rect', {
                class: `series ${name}`,
                x: x(index) + gap / 2,
                width: Math.max(0.6, step - gap),
                y: y(floor),
                height: Math.max(0.5, y(floor - value) - y(floor)),
            });
        });
        const enter = () => point(slot, x(index) + step / 2);
        return svg(
            'g',
            { class: 'column', onpointerenter: enter },
            svg('rect', { class: 'hit', x: x(index), y: MARGIN.top, width: step, height: inner.height }),
            bars,
        );
    });
    // An hour's label stands where the hour begins, a day's below its bar.
    const offset = slots.some((slot) => slot.hours > 1) ? step / 2 : 0;
    const ticks = timeTicks(slots, inner.width).map(({ index, text }) => {
        const at = Math.min(x(index) + offset, width - text.length * HALF_LETTER);
        return svg('text', { x: at, y: height - 6, 'text-anchor': 'middle' }, text);
    });
    return svg(
        'svg',
        { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label },
        grid,
        svg('text', { x: MARGIN.left - 8, y: base + 4, 'text-anchor': 'end' }, '0'),
        columns,
        svg('line', { class: 'axis', x1: MARGIN.left, x2: width - MARGIN.right, y1: base, y2: base }),
        ticks,
    );
}

/** A top with two to four round steps below it. */
function niceTop(most) {
    const raw = most / 3;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = Math.max(
        1,
        [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= raw && (one >= 10 || Number.isInteger(one))) ??
            Math.ceil(raw),
    );
    const ticks = Math.ceil(most / step);
    return { step, ticks, value: step * ticks };
}

/** Which slots get a label: some hours of one day, or the beginnings of days. */
function timeTicks(slots, width) {
    // Where a zone is half an hour off, no slot begins at midnight: a day begins with the first slot that lies in it.
    const isDay = (slot, index) =>
        index === 0 ? slot.start === midnight(slot.start) : midnight(slot.start) !== midnight(slots[index - 1].start);
    const short = slots.length <= 30 && slots.every((slot) => slot.hours === 1);
    const candidates = slots.map((slot, index) => ({ index, slot })).filter(({ slot, index }) => short || isDay(slot, index));
    const room = Math.max(1, Math.floor(width / (short ? 52 : 82)));
    const every = Math.ceil(candidates.length / room);
    const chosen = short
        ? candidates.filter(
              ({ slot }) =>
                  new Date(slot.start).getHours() % [1, 2, 3, 4, 6, 12].find((one) => 24 / one <= room || one === 12) === 0,
          )
        : candidates.filter((_, index) => index % every === 0);
    return chosen.map(({ index, slot }) => ({ index, text: short ? clock(slot.start) : day(slot.start) }));
}

function span(slot) {
    return slot.hours === 1 ? `${day(slot.start)}, ${clock(slot.start)}–${clock(slot.start + 3_600_000)}` : day(slot.start);
}

function total(slot) {
    return Object.values(slot.values).reduce((sum, one) => sum + one, 0);
}

function numbers(caption, series, slots) {
    const filled = slots.filter((slot) => total(slot) > 0).reverse();
    const row = (slot) =>
        h(
            'tr',
            {},
            h('th', { scope: 'row' }, h('time', { datetime: new Date(slot.start).toISOString() }, span(slot))),
            series.map(({ name }) => h('td', { class: 'right' }, count(slot.values[name] ?? 0))),
            h('td', { class: 'right' }, count(total(slot))),
        );
    const place = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption });
    // Hundreds of rows are made only for whoever opens them.
    const open = () =>
        place.childElementCount === 0 &&
        put(
            place,
            h(
                'table',
                { class: 'plain-table' },
                h('caption', {}, caption),
                h(
                    'thead',
                    {},
                    h(
                        'tr',
                        {},
                        h('th', { scope: 'col' }, 'Time'),
                        series.map(({ label }) => h('th', { scope: 'col', class: 'right' }, label)),
                        h('th', { scope: 'col', class: 'right' }, 'Total'),
                    ),
                ),
                h('tbody', {}, filled.map(row)),
            ),
        );
    return h('details', { class: 'numbers', ontoggle: open }, h('summary', {}, 'Show these numbers as a table'), place);
}
