import { type FormEvent, useRef } from "react";

interface LineFormProps {
  label: string;
  button: string;
  placeholder?: string;
  maxLength?: number;
  /** Is given the trimmed line; false brings it back into the field, for another try. */
  onLine: (line: string) => Promise<boolean>;
}

/** One field and its button: a task, a message, a name. */
export function LineForm({ label, button, placeholder, maxLength, onLine }: LineFormProps) {
  const field = useRef<HTMLInputElement>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const input = field.current!;
    const line = input.value.trim();
    if (line === "") return;
    input.value = "";
    input.focus();
    if (!(await onLine(line)) && input.value === "") input.value = line;
  }

  return (
    <form className="row" onSubmit={submit}>
      <label className="grow">
        <span className="unseen">{label}</span>
        <input
          ref={field}
          required
          autoComplete="off"
          placeholder={placeholder}
          maxLength={maxLength}
        />
      </label>
      <button type="submit">{button}</button>
    </form>
  );
}
