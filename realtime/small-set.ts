/** Members up to which looking through all of them is quicker than a hash, and takes a third of its memory. */
const few = 256;

/**
 * A set that is mostly small: an array until it has grown. A node holds one for each person and each conversation, and a Set
 * of ten takes 450 bytes where an array takes 150. Copy it before changing it within its own loop.
 */
export class SmallSet<Member> implements Iterable<Member> {
  #members: Member[] | Set<Member> = [];

  get size(): number {
    return Array.isArray(this.#members) ? this.#members.length : this.#members.size;
  }

  has(member: Member): boolean {
    return Array.isArray(this.#members) ? this.#members.includes(member) : this.#members.has(member);
  }

  add(member: Member): void {
    if (!Array.isArray(this.#members)) this.#members.add(member);
    else if (this.#members.includes(member)) return;
    else if (this.#members.length < few) this.#members.push(member);
    else this.#members = new Set(this.#members).add(member);
  }

  delete(member: Member): void {
    if (!Array.isArray(this.#members)) return void this.#members.delete(member);
    const place = this.#members.indexOf(member);
    if (place < 0) return;
    // The last one takes its place: the order means nothing.
    const last = this.#members.pop() as Member;
    if (place < this.#members.length) this.#members[place] = last;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members[Symbol.iterator]();
  }
}
