/**
 * Random numbers from a seed: the same seed gives the same numbers in every browser.
 *
 * The generator is xoshiro128++ (Blackman and Vigna 2021, doi:10.1145/3460772), its state filled by
 * a Weyl sequence through a 32-bit mixer, so that neighbouring seeds have nothing in common. They
 * are not PyTorch's numbers: a run in the page and one in PyTorch are two runs.
 */
export class Random {
  /** @param {number} seed a whole number */
  constructor(seed) {
    let weyl = seed >>> 0;
    const mixed = () => {
      weyl = (weyl + 0x9e3779b9) >>> 0;
      let z = weyl;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.state = Uint32Array.from({ length: 4 }, mixed);
  }

  /** 32 random bits, as a whole number. */
  bits() {
    const s = this.state;
    const sum = (s[0] + s[3]) >>> 0;
    const result = (((sum << 7) | (sum >>> 25)) + s[0]) >>> 0;
    const kept = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= kept;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** A number from [0, 1), with 32 random bits. */
  uniform() {
    return this.bits() / 2 ** 32;
  }

  /**
   * A whole number from 0, …, n - 1.
   *
   * @param {number} n
   */
  below(n) {
    return Math.floor(this.uniform() * n);
  }

  /** A number from N(0, 1): one coordinate of Box and Muller's pair. */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
