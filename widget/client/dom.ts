/**
 * Elements, made with the few calls that no page replaces: some replace `append`, `Array.from` or `map`, and some add
 * to Object.prototype. Here and in the other modules only syntax walks over lists.
 */

export type Child = Node | string | false | null | undefined;
type Attribute = string | number | boolean | null | undefined | ((event: any) => void);

export const has = (object: object, name: PropertyKey): boolean => ({}).hasOwnProperty.call(object, name);

/** Functions become listeners, `true` an empty attribute; what is false, null or undefined is left out. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const name in attributes) {
    if (!has(attributes, name)) continue;
    const value = attributes[name];
    if (typeof value === "function") made.addEventListener(name, value);
    else set(made, name, value);
  }
  add(made, children);
  return made;
}

export function set(element: Element, name: string, value: Exclude<Attribute, Function>): void {
  if (value == null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : `${value}`);
}

export function add(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (child) parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
}

export function fill(parent: Node, children: Child[]): void {
  parent.textContent = "";
  add(parent, children);
}

/** A drawing of one path in a square of `size`, which says nothing to a screen reader. */
export function drawing(path: string, size = 24): SVGElement {
  const make = (tag: string) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = make("svg") as SVGElement;
  const shape = make("path");
  set(svg, "viewBox", `0 0 ${size} ${size}`);
  set(svg, "aria-hidden", "true");
  set(shape, "d", path);
  svg.appendChild(shape);
  return svg;
}

export const later = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
