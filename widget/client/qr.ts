/** A QR code as the path of a drawing. Loaded only where one is shown. */

import { encode } from "uqr";

export function qr(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: "L", border: 2 });
  let path = "";
  data.forEach((row, y) => row.forEach((dark, x) => dark && (path += `M${x} ${y}h1v1h-1z`)));
  return { path, size };
}
