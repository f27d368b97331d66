export class ReceiveBuffer {
  #chunk: Uint8Array = new Uint8Array(65536);
  room(): Uint8Array { return this.#chunk; }
  take(length: number): Uint8Array { return this.#chunk.slice(0, length); }
}
