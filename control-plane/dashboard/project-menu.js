// The menu of a session of an organisation in which a project is chosen. The page stays the same where it can.

import { h } from './dom.js';
import { icon } from './icons.js';
import { menu } from './menu.js';
import { addressOf } from './router.js';
import { offeredProjects, session } from './session.js';

/** From how many projects on the menu has a field to find one by. */
const MANY = 8;

/** The menu, for the page of that name and the project that is chosen, if any. */
export function projectMenu(name, project) {
    const target = ['projects', ''].includes(name) ? 'settings' : name;
    const trigger = h(
        'button',
        { type: 'button', class: 'project-menu', id: 'project-menu' },
        h(
            'span',
            {},
            h('span', { class: 'organisation' }, session().organisation.name),
            h('span', { class: 'unseen' }, ', project: '),
            h('span', { class: 'project' }, project?.name ?? 'Choose a project'),
        ),
        icon('chevron', 16),
    );
    const projects = offeredProjects();
    const items = projects.map((one) =>
        h(
            'a',
            { class: 'item', href: addressOf(target, one.id), 'aria-current': one.id === project?.id ? 'true' : null },
            one.name,
            h('span', { class: 'id' }, one.id),
        ),
    );
    const none = h(
        'p',
        { class: 'none', hidden: projects.length > 0 },
        projects.length > 0 ? 'No project has that in its name.' : 'There are no projects yet.',
    );
    const find = h('input', {
        class: 'input find',
        type: 'search',
        placeholder: 'Find a project',
        'aria-label': 'Find a project',
        autocomplete: 'off',
        oninput: filter,
    });

    function filter() {
        const wanted = find.value.trim().toLowerCase();
        for (const item of items) item.hidden = !item.textContent.toLowerCase().includes(wanted);
        none.hidden = items.some((item) => !item.hidden);
    }

    return menu(
        trigger,
        [
            projects.length >= MANY && find,
            items,
            none,
            h('hr'),
            h('a', { class: 'item', href: addressOf('projects') }, 'All projects'),
        ],
        { label: 'Projects' },
    );
}
