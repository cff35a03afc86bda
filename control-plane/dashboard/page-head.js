// The head of a page: its heading, a sentence on what it is for, and what can be done on it.

import { h } from './dom.js';

/** The heading takes the focus when the page is entered. */
export function pageHead(title, lead = '', actions = []) {
    return h(
        'div',
        { class: 'page-head' },
        h('div', {}, h('h1', { tabindex: '-1' }, title), lead && h('p', { class: 'lead' }, lead)),
        actions,
    );
}
