// Tables of records. On a phone a row is a card; roles are written out because browsers drop them with the layout.

import { h, put } from './dom.js';

/**
 * A table whose rows can be replaced, added to and brought up to date. `columns` are `{ label, cell, class, head }`: `cell` returns what a record's
 * cell holds, `head` marks the column that names the record, `class` goes onto both cell and heading.
 */
export function table({ caption, columns, id }) {
    const body = h('tbody', { role: 'rowgroup' });
    const heading = (column) =>
        h(
            'th',
            { scope: 'col', role: 'columnheader', class: column.class },
            column.unseen ? h('span', { class: 'unseen' }, column.label) : column.label,
        );
    const element = h(
        'table',
        { class: 'table cards', role: 'table', id },
        h('caption', { class: 'unseen' }, caption),
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(heading))),
        body,
    );
    const told = new WeakMap();
    const row = (record) => {
        const made = h(
            'tr',
            { role: 'row', 'data-id': record.id },
            columns.map((column) =>
                column.head
                    ? h('th', { scope: 'row', role: 'rowheader', class: column.class }, column.cell(record))
                    : h('td', { role: 'cell', class: column.class, 'data-label': column.label }, column.cell(record)),
            ),
        );
        told.set(made, JSON.stringify(record));
        return made;
    };

    /** Changes only the rows that must be, so that what is read or has the focus stays where it is. */
    function update(records) {
        const focus = focusIn(body);
        const wanted = new Set(records.map((record) => String(record.id)));
        for (const one of [...body.children]) if (!wanted.has(one.dataset.id)) one.remove();
        const kept = new Map([...body.children].map((one) => [one.dataset.id, one]));
        let place = body.firstElementChild;
        for (const record of records) {
            const old = kept.get(String(record.id));
            if (old && old === place) place = old.nextElementSibling;
            if (old && told.get(old) === JSON.stringify(record)) {
                if (old.nextElementSibling !== place) body.insertBefore(old, place);
                continue;
            }
            old?.remove();
            body.insertBefore(row(record), place);
        }
        focus.restore();
    }

    return {
        element,
        show: (records) => put(body, records.map(row)),
        /** Adds rows and returns the first. */
        add(records) {
            const added = records.map(row);
            body.append(...added);
            return added[0];
        },
        update,
    };
}

/** Gives a row the focus, which it has no place for by itself. */
export function focusRow(row) {
    row.tabIndex = -1;
    row.focus();
}

/** Where the focus is among rows, and how it gets back there when its row was drawn anew or is gone. */
function focusIn(body) {
    const before = document.activeElement;
    const row = [...body.children].find((one) => one.contains(before));
    if (!row) return { restore() {} };
    const at = [...body.children].indexOf(row);
    const control = controls(row).indexOf(before);
    return {
        restore() {
            if (before.isConnected) return;
            const rows = [...body.children];
            const next = rows.find((one) => one.dataset.id === row.dataset.id) ?? rows[at] ?? rows.at(-1);
            if (!next) return;
            const same = controls(next)[control];
            if (same) same.focus();
            else focusRow(next);
        },
    };
}

function controls(row) {
    return [...row.querySelectorAll('button, a[href]')];
}
