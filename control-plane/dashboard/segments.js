// A choice of one among a few, as radio buttons side by side.

import { h } from './dom.js';

let made = 0;

/** `options` are pairs of value and label; `onchange` is given the value that was chosen. */
export function segments({ label, name, value, options, onchange, wide = false }) {
    const group = `${name}-${(made += 1)}`;
    return h(
        'fieldset',
        { class: wide ? 'segments wide' : 'segments' },
        h('legend', { class: 'unseen' }, label),
        options.map(([option, text]) =>
            h(
                'label',
                {},
                h('input', {
                    type: 'radio',
                    name: group,
                    value: option,
                    checked: option === value,
                    onchange: () => onchange(option),
                }),
                h('span', {}, text),
            ),
        ),
    );
}
