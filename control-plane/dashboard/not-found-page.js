// What is shown for an address that names no page.

import { h } from './dom.js';
import { pageHead } from './page-head.js';
import { addressOf, link } from './router.js';

export const notFoundPage = {
    title: 'No such page',
    needs: null,
    draw: () => [
        pageHead('There is no such page'),
        h(
            'p',
            {},
            'Nothing is at ',
            h('code', { class: 'chip' }, location.pathname),
            ' for whoever is signed in. ',
            link(addressOf(''), 'Back to the start'),
        ),
    ],
};
