<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up()
    {
        Schema::create('shipments', function (Blueprint $table) {
            $table->id();
        });
        // Fails: several orders have the same amount.
        DB::statement('create unique index orders_amount_key on orders (amount)');
    }

    public function down()
    {
        Schema::drop('shipments');
    }
};
