// Tabs: one panel at a time, chosen by click or by the arrow keys.

import { h, put, freshId } from './dom.js';

/** `tabs` are `{ id, label, draw }`; `draw` returns what the panel holds, each time it is shown. */
export function tabs({ label, tabs: all, chosen = all[0].id, small = false, onchoose = () => {} }) {
    const stem = freshId('tabs');
    const panel = h('div', { role: 'tabpanel', id: `${stem}-panel`, class: 'panel', tabindex: '0' });
    const buttons = all.map((tab) =>
        h(
            'button',
            { type: 'button', role: 'tab', id: `${stem}-${tab.id}`, 'aria-controls': panel.id, onclick: () => choose(tab.id) },
            tab.label,
        ),
    );
    const list = h(
        'div',
        { role: 'tablist', 'aria-label': label, class: small ? 'tabs small' : 'tabs', onkeydown: move },
        buttons,
    );

    function choose(id, byHand = true) {
        const at = Math.max(
            0,
            all.findIndex((tab) => tab.id === id),
        );
        buttons.forEach((one, index) => {
            one.setAttribute('aria-selected', String(index === at));
            one.tabIndex = index === at ? 0 : -1;
        });
        panel.setAttribute('aria-labelledby', buttons[at].id);
        put(panel, all[at].draw());
        if (byHand) onchoose(all[at].id);
    }

    function move(event) {
        const now = buttons.indexOf(document.activeElement);
        const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = buttons[(to + buttons.length) % buttons.length];
        next.focus();
        next.click();
    }

    choose(chosen, false);
    return { element: h('div', {}, list, panel), panel };
}
