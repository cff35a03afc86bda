// Says that somebody else changed the settings, what they changed, and what was not saved for that.

import { h } from './dom.js';
import { SETTINGS, settingValue } from './words.js';

const title = (name) => SETTINGS[name]?.title ?? name;

/** The notice of a `Conflict`. */
export function conflictNotice({ wanted, before, now }) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    const changed = names.filter((name) => before[name] !== now[name]);
    return h(
        'div',
        { class: 'notice warn', role: 'alert', id: 'settings-conflict' },
        h('p', { class: 'title' }, 'Somebody else changed the settings'),
        h('p', {}, 'Your change was not saved, so that it does not overwrite theirs. The settings below are the current ones.'),
        h(
            'ul',
            {},
            changed.map((name) =>
                h(
                    'li',
                    {},
                    `${title(name)} is now ${settingValue(name, now[name])}; you had seen ${settingValue(name, before[name])}.`,
                ),
            ),
            Object.entries(wanted).map(([name, value]) =>
                h('li', {}, `Not saved: ${title(name)}, ${settingValue(name, value)}.`),
            ),
        ),
        h('p', {}, 'If you still want your change, make it again.'),
    );
}
