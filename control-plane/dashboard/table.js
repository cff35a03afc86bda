// Tables of records. On a phone a row is a card; roles are written out because browsers drop them with the layout.

import { h, put } from './dom.js';

/**
 * A table whose rows can be replaced and added to. `columns` are `{ label, cell, class, head }`: `cell` returns what a record's
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
    const row = (record) =>
        h(
            'tr',
            { role: 'row', 'data-id': record.id },
            columns.map((column) =>
                column.head
                    ? h('th', { scope: 'row', role: 'rowheader', class: column.class }, column.cell(record))
                    : h('td', { role: 'cell', class: column.class, 'data-label': column.label }, column.cell(record)),
            ),
        );
    return {
        element,
        show: (records) => put(body, records.map(row)),
        add: (records) => body.append(...records.map(row)),
    };
}
