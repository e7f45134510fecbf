/** One member as an archive states it, before anybody has judged its name. */
export interface ArchiveMember {
  readonly kind: "file" | "directory";
  /** The name's bytes as stored; a directory may end in `/`. */
  readonly rawPath: Uint8Array;
  /** Exact content length; 0 for a directory. */
  readonly bytes: number;
  /** Whether its owner may execute it. */
  readonly executable: boolean;
}

/**
 * Where an archive reader delivers: `open`, then `write` until `bytes` have come, then `close`, for each member
 * in turn. A sink stops the reader by throwing. Every archive format is read into this one interface, so there is
 * one gate behind all of them.
 */
export interface MemberSink {
  open(member: ArchiveMember): void;
  /** The view is only valid during the call. */
  write(chunk: Uint8Array): void;
  close(): void;
}

/** Hears how much of an archive has gone in and come out; stops the reader by throwing. */
export interface ExpansionMeter {
  /** Bytes of the archive that have been read by now. */
  consumed(bytes: number): void;
  /** `bytes` more are about to be passed on. */
  produced(bytes: number): void;
}
