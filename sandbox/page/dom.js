/** An element with its text and children. Text is set as text: what people and mails say is never markup. */
export function element(name, { text, className, ...attributes } = {}, children = []) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
}

export function button(label, work, attributes = {}) {
  const node = element('button', { type: 'button', text: label, ...attributes });
  node.addEventListener('click', work);
  return node;
}

export const details = (summary, children, className) =>
  element('details', { className }, [element('summary', { text: summary }), ...children]);

/** A value as JSON; a text that is JSON, as it reads. */
export function pretty(value) {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2) ?? '';
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

export const pre = (value) => element('pre', { text: pretty(value) });
export const time = (at) => new Date(at).toLocaleTimeString();

/**
 * Shows a card for each entry. One that has not changed stays as it is; one that has is made anew, with what was folded out
 * left so and what was typed left there.
 */
export function show(container, entries, make, whenEmpty) {
  const before = new Map([...container.children].map((node) => [node.dataset.key, node]));
  const nodes = entries.map((entry) => {
    const version = JSON.stringify(entry);
    const old = before.get(entry.key);
    if (old?.version === version) return old;
    const node = make(entry);
    Object.assign(node, { version }).dataset.key = entry.key;
    if (old) keepState(old, node);
    return node;
  });
  if (nodes.length === 0) nodes.push(element('p', { className: 'empty', text: whenEmpty }));
  // What has its place keeps it: a frame that is moved loads anew, and a field loses its focus.
  const kept = new Set(nodes);
  for (const node of [...container.children]) if (!kept.has(node)) node.remove();
  for (const [index, node] of nodes.entries())
    if (container.children[index] !== node) container.insertBefore(node, container.children[index] ?? null);
}

function keepState(old, node) {
  const opened = [...old.querySelectorAll('details')].map(({ open }) => open);
  for (const [index, one] of [...node.querySelectorAll('details')].entries()) one.open = opened[index] ?? false;
  const typed = [...old.querySelectorAll('input')];
  for (const [index, input] of [...node.querySelectorAll('input')].entries()) {
    input.value = typed[index]?.value ?? '';
    if (typed[index] === document.activeElement) setTimeout(() => input.focus());
  }
}
