// A button that opens a small list of buttons or links, on the browser's own popover: Escape and a click elsewhere close it.

import { h, freshId } from './dom.js';

/** `trigger` is the button, `items` what the list holds. The list is placed below the button, or above where there is no room. */
export function menu(trigger, items, { label } = {}) {
    const id = freshId('menu');
    const list = h('div', { class: 'popover', popover: 'auto', id, role: 'group', 'aria-label': label }, items);
    trigger.setAttribute('popovertarget', id);
    trigger.setAttribute('aria-expanded', 'false');
    list.addEventListener('toggle', (event) => {
        trigger.setAttribute('aria-expanded', String(event.newState === 'open'));
        if (event.newState === 'open') place(list, trigger);
    });
    list.addEventListener(
        'click',
        (event) => {
            if (event.target.closest('.item')) {
                list.hidePopover();
                trigger.focus();
            }
        },
        { capture: true },
    );
    list.addEventListener('keydown', (event) => step(list, event));
    return [trigger, list];
}

/** An entry of a menu that does something. */
export function menuItem(label, onclick, { danger = false } = {}) {
    return h('button', { type: 'button', class: danger ? 'item danger' : 'item', onclick }, label);
}

function place(list, trigger) {
    const button = trigger.getBoundingClientRect();
    const size = list.getBoundingClientRect();
    const below = button.bottom + 4;
    const fits = below + size.height < innerHeight - 8;
    list.style.top = `${Math.max(8, fits ? below : button.top - size.height - 4)}px`;
    const left = button.left + size.width < innerWidth - 8 ? button.left : button.right - size.width;
    list.style.left = `${Math.max(8, left)}px`;
}

function step(list, event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const items = [...list.querySelectorAll('.item, input')].filter((item) => !item.hidden);
    const now = items.indexOf(document.activeElement);
    items.at((now + by) % items.length)?.focus();
}
