import { useMutation, useQuery } from "convex/react";
import type { FormEvent } from "react";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

export function Files({ album }: { album: string }) {
  const shown = useQuery(api.pictures.list, { album });
  const uploadUrl = useMutation(api.pictures.uploadUrl);
  const keep = useMutation(api.pictures.keep);
  const remove = useMutation(api.pictures.remove);
  const upload = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const file = new FormData(event.currentTarget).get("file") as File;
    const sent = await fetch(await uploadUrl(), {
      method: "POST",
      headers: { "Content-Type": file.type },
      body: file,
    });
    const { storageId } = (await sent.json()) as { storageId: Id<"_storage"> };
    await keep({ album, caption: file.name, file: storageId });
  };
  return (
    <main>
      <h1>Album {album}</h1>
      <form onSubmit={upload}>
        <label>
          Picture <input name="file" type="file" />
        </label>
        <button disabled={shown === undefined}>Upload</button>
      </form>
      {shown?.map(({ picture, url, about }) => (
        <figure key={picture._id}>
          {url !== null && <img src={url} alt={picture.caption} />}
          <figcaption>
            {picture.caption}, {about?.size} bytes, {about?.contentType}{" "}
            <button onClick={() => void remove({ id: picture._id })}>Remove</button>
          </figcaption>
        </figure>
      ))}
    </main>
  );
}
