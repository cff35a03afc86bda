// Builds elements. A text becomes a text node, never markup, so that nothing from the API can become a script.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element with attributes and children.
 *
 * Attributes that begin with `on` are listeners; `true` sets an attribute without a value; `false`, `null` and
 * `undefined` leave it out. Children are nodes, texts, or lists of them; what is `null`, `undefined` or `false` is left out.
 */
export function h(tag, attributes = {}, ...children) {
    return build(document.createElement(tag), attributes, children);
}

/** The same, in SVG. */
export function svg(tag, attributes = {}, ...children) {
    return build(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what is in a place. */
export function put(place, ...children) {
    place.replaceChildren(...flat(children));
    return place;
}

let ids = 0;

/** An id that no other element has. */
export function freshId(stem) {
    return `${stem}-${(ids += 1)}`;
}

function build(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'value' && 'value' in element) element.value = value;
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    element.append(...flat(children));
    return element;
}

function flat(children) {
    return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
