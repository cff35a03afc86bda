// "Project Settings": the tabs General and Project Configuration.

import { configurationTab } from './settings-configuration.js';
import { conflictNotice } from './conflict-notice.js';
import { h, put } from './dom.js';
import { fill } from './load.js';
import { pageHead } from './page-head.js';
import { setQuery } from './router.js';
import { generalTab } from './settings-general.js';
import { Conflict, settingsOf } from './settings-store.js';
import { tabs } from './tabs.js';

export const settingsPage = {
    title: 'Project Settings',
    needs: 'project',
    draw(context) {
        const place = h('div');
        const settings = settingsOf(context.api);
        fill(place, 'the settings', settings.load, () => content(context, settings));
        return [pageHead('Project Settings'), place];
    },
};

function content(context, settings) {
    const notice = h('div', { class: 'notice-place' });
    let chosen = context.query.get('tab') === 'configuration' ? 'configuration' : 'general';
    const tab = {
        ...context,
        settings,
        /** Changes settings. Returns whether they were changed; if somebody else was first, the tab is drawn anew. */
        async change(patch) {
            put(notice);
            try {
                await settings.change(patch);
                return true;
            } catch (failure) {
                if (!(failure instanceof Conflict)) throw failure;
                put(notice, conflictNotice(failure));
                put(view.panel, draw[chosen](tab));
                notice.scrollIntoView({ block: 'nearest' });
                return false;
            }
        },
    };
    const draw = { general: generalTab, configuration: configurationTab };
    const view = tabs({
        label: 'Project Settings',
        chosen,
        tabs: [
            { id: 'general', label: 'General', draw: () => draw.general(tab) },
            { id: 'configuration', label: 'Project Configuration', draw: () => draw.configuration(tab) },
        ],
        onchoose(id) {
            chosen = id;
            put(notice);
            setQuery({ tab: id === 'general' ? null : id });
        },
    });
    view.panel.before(notice);
    return view.element;
}
