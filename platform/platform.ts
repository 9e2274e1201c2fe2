/** Random access to bytes that are somewhere: a file, a Blob, a URL, memory. */
export interface ByteSource {
  /** For error messages: a path, a URL, 'bytes'. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** `length` bytes from `offset`, fewer only where the source ends. The result may be a view of shared memory: read only. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

/** A thread of its own that exchanges messages with this one. It starts out keeping the process alive, as after `ref`. */
export interface Thread {
  /**
   * Where nothing tells when a thread ends quietly: the name of a Web Lock for it to hold, and to send back as `lock` of its
   * first message when it does.
   */
  readonly lock: string | undefined
  /** Throws if the message cannot be copied or shared. */
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called when the thread ended or never came up, perhaps more than once; error: why. */
  onEnd(listener: (error: unknown) => void): void
  /** From now on it keeps the process alive. Browsers have no such thing. */
  ref(): void
  unref(): void
  /** Ends it, whatever it does. */
  terminate(): void
}

/** What differs by platform. `#platform` resolves to a module that exports all of these functions. */
export interface Platform {
  /** 'node' also stands for Deno and Bun. */
  readonly platformName: 'node' | 'browser'
  /** Rejects with code READ_FAILED, or MODEL_NOT_FOUND where there is no such file. */
  openFile(path: string): Promise<ByteSource>
  /** The path of a file: URL, for openFile. */
  pathFromUrl(url: URL): string
  /**
   * The platform's own image decoder as RGBA bytes, for formats that are not decoded here; undefined where there is none.
   * Colours must be exact: no colour management, no premultiplied alpha. JPEG and WebP come without EXIF orientation.
   */
  readonly decodeImage:
    | ((bytes: Uint8Array, mimeType: string) => Promise<{ data: Uint8ClampedArray; width: number; height: number }>)
    | undefined
  /** Processor cores that this process may use, at least 1. */
  cores(): number
  /** Why this platform has no threads of its own: a sentence. Undefined if it should have them. */
  threadsMissing(): string | undefined
  /**
   * Starts a thread that runs `source`, a script without imports, or takes the worker that a user made. Throws an Error whose
   * message is for the user; what goes wrong later comes to `onEnd`.
   */
  startThread(source: string, worker?: () => Worker): Thread
}
