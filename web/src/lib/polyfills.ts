/** What libraries use that Chrome 80 lacks. */
if (!Array.prototype.at) {
  const at = function <T>(this: ArrayLike<T>, n: number): T | undefined {
    const i = Math.trunc(n) || 0;
    return this[i < 0 ? this.length + i : i];
  };
  for (const proto of [Array.prototype, String.prototype]) {
    Object.defineProperty(proto, 'at', { value: at, writable: true, configurable: true });
  }
}
if (!('hasOwn' in Object)) {
  Object.defineProperty(Object, 'hasOwn', {
    value: (o: object, k: PropertyKey) => Object.prototype.hasOwnProperty.call(o, k),
    writable: true,
    configurable: true,
  });
}
if (!('replaceAll' in String.prototype)) {
  Object.defineProperty(String.prototype, 'replaceAll', {
    value: function (this: string, a: string | RegExp, b: string) {
      return typeof a === 'string' ? this.split(a).join(b) : this.replace(a, b);
    },
    writable: true,
    configurable: true,
  });
}
export {};
