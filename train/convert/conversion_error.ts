/** A checkpoint that cannot be converted as asked; the message says what to do next. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";

  /**
   * @param message "Cannot convert: Y is <value>, expected <what>; <next step>".
   * @param choice Where a name was not known: the name and those that are.
   */
  constructor(
    message: string,
    readonly choice?: { readonly given: string; readonly known: readonly string[] },
  ) {
    super(message);
  }
}
