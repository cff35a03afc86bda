// What stands in the place of a list that has nothing in it: why, and what to do next.

import { h } from './dom.js';
import { icon } from './icons.js';

/** `action` is a button or link. */
export function empty({ picture, title, text, action = null }) {
    return h('div', { class: 'empty' }, icon(picture, 28), h('h2', {}, title), h('p', {}, text), action);
}
