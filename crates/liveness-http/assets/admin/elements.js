// Makes elements. Whatever comes from outside becomes text here and nowhere else, so that nothing of it is ever markup.

// Characters that turn the direction of what stands around them: an id could be made to look like another.
const TURNS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Text with the characters that would turn it shown by their numbers. */
export function shown(text) {
  return String(text).replace(TURNS, (turn) => `[U+${turn.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);
}

/** An element; a function among its attributes listens, a child that is no node is text, and null is nothing. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(key, value);
    } else if (value !== null && value !== false) {
      element.setAttribute(key, value === true ? '' : value);
    }
  }
  const nodes = children.flat().filter((child) => child !== null && child !== undefined);
  element.append(...nodes.map((child) => (child instanceof Node ? child : shown(child))));
  return element;
}

/** A part of a page with a heading of its own. */
export function panel(id, heading, ...children) {
  return el('section', { class: 'panel', id, 'aria-labelledby': `${id}-heading` },
    el('h2', { id: `${id}-heading` }, heading), ...children);
}

/** Names and values; a value that is not known is told as such. */
export function facts(pairs) {
  return el('dl', {}, pairs.map(([name, value]) => el('div', {},
    el('dt', {}, name), el('dd', {}, value ?? el('span', { class: 'unknown' }, 'not given')))));
}

/** Tells those who do not see the page what has happened on it. */
export function announce(text) {
  document.getElementById('status').textContent = text;
}

/** A new view's heading, which takes the focus, so that the keyboard goes on from there. */
export function focusHeading(view) {
  const heading = view.querySelector('h1');
  heading.tabIndex = -1;
  heading.focus();
}
