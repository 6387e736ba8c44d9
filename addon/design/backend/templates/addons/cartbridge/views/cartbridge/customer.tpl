<div id="cartbridge_view">
    {if $cartbridge_known.error}
        <p class="text-warning">{__("cartbridge.view_error")}: {$cartbridge_known.error}</p>
    {/if}
    {if $cartbridge_known.fetched_at}
        <p class="muted">{__("cartbridge.as_of")} {$cartbridge_known.fetched_at|date_format:"`$settings.Appearance.date_format`, `$settings.Appearance.time_format`"}</p>
    {/if}
    <p>
        {if $cartbridge_view.url}
            <a class="btn" href="{$cartbridge_view.url}" target="_blank" rel="noopener noreferrer">{__("cartbridge.open_in_highlevel")}</a>
        {/if}
        <a class="btn cm-ajax" href="{"cartbridge.customer?user_id=`$cartbridge_user_id`&now=1"|fn_url}" data-ca-target-id="cartbridge_view">{__("cartbridge.refresh")}</a>
    </p>
    {if !$cartbridge_view.linked}
        <p>{if $cartbridge_known.fetched_at}{__("cartbridge.not_linked")}{else}{__("cartbridge.not_fetched")}{/if}</p>
    {else}
        <dl>
            {foreach $cartbridge_view.contact as $name => $value}
                <dt>{__("cartbridge.contact_`$name`")}</dt><dd>{$value}</dd>
            {/foreach}
        </dl>
        {if $cartbridge_view.tags}
            <p>{foreach $cartbridge_view.tags as $tag}<span class="label">{$tag}</span> {/foreach}</p>
        {/if}
        {if $cartbridge_view.tasks}
            <h4>{__("cartbridge.tasks")}</h4>
            <ul>{foreach $cartbridge_view.tasks as $task}<li>{if $task.completed}&#10003; {/if}{$task.title} <span class="muted">{$task.dueDate}</span></li>{/foreach}</ul>
        {/if}
        {if $cartbridge_view.appointments}
            <h4>{__("cartbridge.appointments")}</h4>
            <ul>{foreach $cartbridge_view.appointments as $appointment}<li>{$appointment.title} <span class="muted">{$appointment.startTime} {$appointment.appointmentStatus}</span></li>{/foreach}</ul>
        {/if}
        {if $cartbridge_view.notes}
            <h4>{__("cartbridge.highlevel_notes")}</h4>
            <ul>{foreach $cartbridge_view.notes as $note}<li>{$note.body|strip_tags} <span class="muted">{$note.dateAdded}</span></li>{/foreach}</ul>
        {/if}
    {/if}
<!--cartbridge_view--></div>
