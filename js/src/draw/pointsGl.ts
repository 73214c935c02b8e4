/** Points by the graphics processor. All views of a page share one context, since browsers keep few of them; it is made when the
 * first view with points comes into sight, and dropped when the last one is gone.
 */
import type { Place } from "../state/points";
import type { Layer } from "./points";

const VERTEX = `#version 300 es
in vec2 p;in float c;uniform vec4 v;uniform float s;uniform sampler2D t;out vec4 k;void main(){gl_Position=vec4(p*v.xy+v.zw,0,1);gl_PointSize=s+1.;k=texelFetch(t,ivec2(c,0),0);}`;
const FRAGMENT = `#version 300 es
precision highp float;in vec4 k;uniform float s,a;out vec4 o;void main(){o=k*(a*clamp(s*.5+.5-length(gl_PointCoord-.5)*(s+1.),0.,1.));}`;
// WebGL's own numbers, which are shorter here than its names.
const VERTEX_SHADER = 35633, FRAGMENT_SHADER = 35632, LINK_STATUS = 35714, TEXTURE_2D = 3553, TEXTURE_MIN_FILTER = 10241, TEXTURE_MAG_FILTER = 10240, NEAREST = 9728, BLEND = 3042, ONE = 1, ONE_MINUS_SRC_ALPHA = 771, ARRAY_BUFFER = 34962, ELEMENT_ARRAY_BUFFER = 34963, STATIC_DRAW = 35044, COLOR_BUFFER_BIT = 16384, UNSIGNED_BYTE = 5121, UNSIGNED_SHORT = 5123, UNSIGNED_INT = 5125, RGBA = 6408, POINTS = 0, UNMASKED_RENDERER = 37446, RENDERER = 7937;
const SLOW = /swiftshader|llvmpipe|software|basic render/i;

interface Shared {
  canvas: HTMLCanvasElement;
  gl: WebGL2RenderingContext;
  program: WebGLProgram;
  slow: boolean;
  users: Set<() => void>;
}

/** null where it was tried in vain. */
const page = (): { points?: Shared | null } => ((globalThis as Record<symbol, unknown>)[Symbol.for("nbinterp.v1")] ??= {}) as { points?: Shared | null };

function open(): Shared | null {
  const canvas = document.createElement("canvas"), gl = canvas.getContext("webgl2", { antialias: false, depth: false });
  if (!gl) return null;
  const program = gl.createProgram(), info = gl.getExtension("WEBGL_debug_renderer_info"), users = new Set<() => void>();
  for (const [kind, source] of [[VERTEX_SHADER, VERTEX], [FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "p");
  gl.bindAttribLocation(program, 1, "c");
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.bindTexture(TEXTURE_2D, gl.createTexture());
  gl.texParameteri(TEXTURE_2D, TEXTURE_MIN_FILTER, NEAREST);
  gl.texParameteri(TEXTURE_2D, TEXTURE_MAG_FILTER, NEAREST);
  gl.enable(BLEND);
  gl.blendFunc(ONE, ONE_MINUS_SRC_ALPHA);
  canvas.addEventListener("webglcontextlost", () => {
    if (page().points?.gl === gl) page().points = undefined;
    for (const lost of [...users]) lost();
  });
  return { canvas, gl, program, slow: SLOW.test(String(gl.getParameter(info ? UNMASKED_RENDERER : RENDERER))), users };
}

/** Give a context back. */
function drop({ gl }: Shared): void {
  gl.getExtension("WEBGL_lose_context")?.loseContext();
}

/** One view's points on the shared context. */
export class GlPoints {
  #buffers: WebGLBuffer[];
  #data: (Uint8Array | Uint16Array | Uint32Array | null)[] = [];

  private constructor(private shared: Shared, private lost: () => void) {
    shared.users.add(lost);
    this.#buffers = Array.from({ length: 4 }, () => shared.gl.createBuffer());
  }

  /** null where there is no WebGL2; `lost` is told when the context goes. A processor that only plays a graphics processor is slower than `Raster`, and left alone unless it is `wanted`. */
  static open(lost: () => void, wanted: boolean): GlPoints | null {
    let { points: shared } = page();
    if (!shared && (wanted || shared === undefined)) shared = open();
    if (shared?.slow && !wanted) {
      if (shared.users.size) return null;
      drop(shared);
      shared = null; // no other is tried
    }
    page().points = shared;
    return shared ? new GlPoints(shared, lost) : null;
  }

  /** Places, colours, the order of drawing (null: as they come), and the rows that are selected; what is the same array is there already. */
  fill(...data: [Uint16Array, Uint8Array, Uint32Array | null, Uint32Array]): void {
    const { gl } = this.shared;
    data.forEach((one, k) => {
      if (one === this.#data[k]) return;
      this.#data[k] = one;
      if (!one) return;
      const target = k < 2 ? ARRAY_BUFFER : ELEMENT_ARRAY_BUFFER;
      gl.bindBuffer(target, this.#buffers[k]);
      gl.bufferData(target, one, STATIC_DRAW);
    });
  }

  /** Draw all on a canvas whose lower left corner, w by h pixels, has it until something else is drawn. */
  draw(w: number, h: number, { ax, bx, ay, by }: Place, ratio: number, layers: Layer[]): HTMLCanvasElement {
    const { canvas, gl, program } = this.shared, at = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, name), [, colour, order, rows] = this.#data;
    if (canvas.width < w) canvas.width = w;
    if (canvas.height < h) canvas.height = h;
    gl.viewport(0, 0, w, h);
    gl.clear(COLOR_BUFFER_BIT);
    [2, 1].forEach((size, k) => {
      gl.bindBuffer(ARRAY_BUFFER, this.#buffers[k]);
      gl.enableVertexAttribArray(k);
      gl.vertexAttribPointer(k, size, k ? UNSIGNED_BYTE : UNSIGNED_SHORT, false, 0, 0);
    });
    gl.uniform4f(at("v"), (2 * ax) / w, (-2 * ay) / h, (2 * bx) / w - 1, 1 - (2 * by) / h);
    for (const { palette, size, alpha, selected } of layers) {
      gl.texImage2D(TEXTURE_2D, 0, RGBA, 256, 1, 0, RGBA, UNSIGNED_BYTE, palette);
      gl.uniform1f(at("s"), size * ratio);
      gl.uniform1f(at("a"), alpha);
      gl.bindBuffer(ELEMENT_ARRAY_BUFFER, this.#buffers[selected ? 3 : 2]);
      if (selected || order) gl.drawElements(POINTS, (selected ? rows! : order!).length, UNSIGNED_INT, 0);
      else gl.drawArrays(POINTS, 0, colour!.length);
    }
    return canvas;
  }

  close(): void {
    const { shared } = this, { gl, users } = shared;
    for (const one of this.#buffers) gl.deleteBuffer(one);
    users.delete(this.lost);
    if (users.size || page().points !== shared) return;
    drop(shared);
    page().points = undefined;
  }
}
