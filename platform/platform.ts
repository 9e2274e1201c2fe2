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
   * Colours must be exact: no colour management, no premultiplied alpha, no EXIF rotation.
   */
  readonly decodeImage:
    | ((bytes: Uint8Array, mimeType: string) => Promise<{ data: Uint8ClampedArray; width: number; height: number }>)
    | undefined
}
