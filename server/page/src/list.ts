// The list of targets: colour, presence, what can be done with each.

import { type Target, colourOf } from "./targets.js";

export interface ListEvents {
  remove(id: number): void;
  /** Shows this target's energy map, or no more. */
  energy(id: number, on: boolean): void;
}

interface Row {
  item: HTMLLIElement;
  state: HTMLElement;
  percent: HTMLElement;
  meter: HTMLElement;
  fill: HTMLElement;
  energy: HTMLButtonElement;
}

export class TargetList {
  private readonly rows = new Map<number, Row>();

  constructor(
    private readonly list: HTMLUListElement,
    private readonly empty: HTMLElement,
    private readonly events: ListEvents,
  ) {}

  draw(targets: readonly Target[], energy: number | null): void {
    this.empty.hidden = targets.length > 0;
    for (const [id, row] of this.rows) {
      if (targets.some((target) => target.id === id)) continue;
      row.item.remove();
      this.rows.delete(id);
    }
    for (const target of targets) {
      const row = this.rows.get(target.id) ?? this.add(target);
      const { result } = target;
      const percent = Math.round(100 * (result?.presence ?? 1));
      const lost = result !== null && !result.present;
      row.item.classList.toggle("lost", lost);
      write(row.state, lost ? "lost, searching" : result ? "tracked" : "waiting for the next frame");
      write(row.percent, result ? `${percent} %` : "–");
      row.meter.setAttribute("aria-valuenow", String(percent));
      row.fill.style.width = `${percent}%`;
      row.energy.setAttribute("aria-pressed", String(energy === target.id));
    }
  }

  private add(target: Target): Row {
    const name = `Target ${target.id}`;
    const item = document.createElement("li");
    item.className = "target";
    item.style.setProperty("--colour", colourOf(target));
    const badge = part("span", "badge", String(target.id));
    badge.setAttribute("aria-hidden", "true");
    const text = part("div", "target-text");
    const state = part("span", "target-state");
    text.append(part("span", "target-name", name), state);
    const percent = part("span", "target-percent");
    const meter = part("div", "meter");
    meter.setAttribute("role", "meter");
    meter.setAttribute("aria-label", `Probability that target ${target.id} is present`);
    meter.setAttribute("aria-valuemin", "0");
    meter.setAttribute("aria-valuemax", "100");
    const fill = part("div", "meter-fill");
    meter.append(fill);
    const energy = button("Energy map", `Energy map of target ${target.id}`, () =>
      this.events.energy(target.id, energy.getAttribute("aria-pressed") !== "true"),
    );
    const remove = button("Remove", `Remove target ${target.id}`, () => this.events.remove(target.id));
    const actions = part("div", "target-actions");
    actions.append(energy, remove);
    item.append(badge, text, percent, meter, actions);
    this.list.append(item);
    const row = { item, state, percent, meter, fill, energy };
    this.rows.set(target.id, row);
    return row;
  }
}

function part(tag: string, className: string, text = ""): HTMLElement {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function button(text: string, label: string, onclick: () => void): HTMLButtonElement {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: text });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", onclick);
  return made;
}

function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
