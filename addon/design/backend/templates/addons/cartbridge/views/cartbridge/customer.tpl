<div id="cartbridge_view" aria-live="polite">
    {$format = "`$settings.Appearance.date_format`, `$settings.Appearance.time_format`"}
    {if $cartbridge_known.error}
        <p class="text-warning" role="status">{__("cartbridge.view_error")}: {$cartbridge_known.error}</p>
    {/if}
    {if $cartbridge_known.fetched_at}
        <p class="muted">{__("cartbridge.as_of")} {$cartbridge_known.fetched_at|date_format:$format}{if $cartbridge_known.refreshing}; {__("cartbridge.refreshing")}{/if}</p>
    {/if}
    {if $cartbridge_known.refreshing && $cartbridge_again < 3}
        <script>
        (function (_, $) {
            setTimeout(function () {
                $.ceAjax('request', '{"cartbridge.customer?user_id=`$cartbridge_user_id`&again=`$cartbridge_again+1`"|fn_url:"A":"current"|escape:javascript nofilter}', {
                    method: 'get', result_ids: 'cartbridge_view', hidden: true, caching: false
                });
            }, 3000);
        }(Tygh, Tygh.$));
        </script>
    {/if}
    <p>
        {if $cartbridge_view.url}
            <a class="btn" href="{$cartbridge_view.url}" target="_blank" rel="noopener noreferrer">{__("cartbridge.open_in_highlevel")}</a>
        {/if}
        <a class="btn cm-ajax" href="{"cartbridge.customer?user_id=`$cartbridge_user_id`&now=1"|fn_url}" data-ca-target-id="cartbridge_view">{__("cartbridge.refresh")}</a>
    </p>
    {if !$cartbridge_view.fetched}
        <p>{if $cartbridge_view.linked || !$cartbridge_known.view}{__("cartbridge.not_fetched")}{else}{__("cartbridge.not_linked")}{/if}</p>
    {else}
        <h4>{__("cartbridge.contact")}</h4>
        <dl>
            {foreach $cartbridge_view.contact as $name => $value}
                <dt>{__("cartbridge.contact_`$name`")}</dt><dd>{$value}</dd>
            {/foreach}
            <dt>{__("cartbridge.contact_tags")}</dt>
            <dd>{foreach $cartbridge_view.tags as $tag}<span class="label">{$tag}</span> {foreachelse}{__("cartbridge.none")}{/foreach}</dd>
        </dl>

        <h4>{__("cartbridge.tasks")}</h4>
        {if $cartbridge_view.tasks}
            <table class="table">
                <caption>{__("cartbridge.tasks_open", ["[open]" => $cartbridge_view.open_tasks])}</caption>
                <thead><tr><th scope="col">{__("cartbridge.task")}</th><th scope="col">{__("cartbridge.due")}</th><th scope="col">{__("cartbridge.task_status")}</th></tr></thead>
                <tbody>
                {foreach $cartbridge_view.tasks as $task}
                    <tr>
                        <th scope="row">{$task.title}{if $task.body}<br /><span class="muted">{$task.body}</span>{/if}</th>
                        <td>{if $task.due_at}{$task.due_at|date_format:$format}{else}-{/if}</td>
                        <td>{if $task.completed}{__("cartbridge.task_done")}{elseif $task.overdue}{__("cartbridge.task_overdue")}{else}{__("cartbridge.task_open")}{/if}</td>
                    </tr>
                {/foreach}
                </tbody>
            </table>
        {else}
            <p>{__("cartbridge.none")}</p>
        {/if}

        <h4>{__("cartbridge.appointments")}</h4>
        {if $cartbridge_view.missing.appointments}
            <p class="text-warning">{__("cartbridge.part_missing")}: {$cartbridge_view.missing.appointments}</p>
        {elseif $cartbridge_view.appointments}
            <table class="table">
                <caption>{__("cartbridge.appointments_hint")}</caption>
                <thead><tr><th scope="col">{__("cartbridge.appointment")}</th><th scope="col">{__("cartbridge.from")}</th><th scope="col">{__("cartbridge.to")}</th><th scope="col">{__("cartbridge.appointment_status")}</th></tr></thead>
                <tbody>
                {foreach $cartbridge_view.appointments as $appointment}
                    <tr>
                        <th scope="row">{$appointment.title}{if $appointment.address}<br /><span class="muted">{$appointment.address}</span>{/if}</th>
                        <td>{$appointment.from}</td><td>{$appointment.to}</td><td>{$appointment.status}</td>
                    </tr>
                {/foreach}
                </tbody>
            </table>
        {else}
            <p>{__("cartbridge.none")}</p>
        {/if}

        <h4>{__("cartbridge.highlevel_notes")}</h4>
        {if $cartbridge_view.missing.notes}
            <p class="text-warning">{__("cartbridge.part_missing")}: {$cartbridge_view.missing.notes}</p>
        {else}
            <ul>
            {foreach $cartbridge_view.notes as $note}
                <li>{$note.body|escape|nl2br nofilter} {if $note.at}<span class="muted">{$note.at|date_format:$format}</span>{/if}</li>
            {foreachelse}
                <li>{__("cartbridge.none")}</li>
            {/foreach}
            </ul>
        {/if}
    {/if}
<!--cartbridge_view--></div>
