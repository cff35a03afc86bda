// A switch with the badge that says in a word whether it is on.

import { h } from './dom.js';

/** `onpress` is called instead of switching: what is shown follows `show`, once the service has agreed. */
export function switchWithBadge({ id, label, describedby, on, onpress }) {
    const badge = h('span', { class: 'badge state', id: `${id}-badge` });
    const control = h('button', {
        type: 'button',
        role: 'switch',
        class: 'switch',
        id,
        'aria-label': label,
        'aria-describedby': describedby,
        onclick: () => control.getAttribute('aria-busy') !== 'true' && onpress(),
    });

    function show(value) {
        control.setAttribute('aria-checked', String(value));
        badge.textContent = value ? 'ENABLED' : 'DISABLED';
        badge.classList.toggle('good', value);
        badge.classList.toggle('bad', !value);
    }

    show(on);
    return { control, show, element: h('div', { class: 'control' }, badge, control) };
}
