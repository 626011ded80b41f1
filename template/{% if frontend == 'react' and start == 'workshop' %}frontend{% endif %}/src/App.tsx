import { Chat } from "./Chat";
import { Frame } from "./Frame";
import { MyTasks } from "./Tasks";
import { Boundary } from "./trouble";

/** Tasks and a room, each of them live. */
export function App() {
  return (
    <Frame>
      <div className="columns">
        <Boundary resetKey="tasks">
          <MyTasks />
        </Boundary>
        <Boundary resetKey="chat">
          <Chat roomId="general" />
        </Boundary>
      </div>
    </Frame>
  );
}
